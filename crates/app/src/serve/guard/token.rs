//! The two secrets: one for reading, one for writing.
//!
//! They come from files or from the environment, never from the command line, which every program of the machine can read,
//! and never from an address, which is kept in histories and logs.

use std::io::Read;
use std::path::{Path, PathBuf};

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode, Uri};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::Access;
use crate::error::Error;
use crate::serve::failure::Failure;

/// Environment variable with the token for reading.
const READ_VARIABLE: &str = "FINELENS_READ_TOKEN";
/// Environment variable with the token for writing.
const WRITE_VARIABLE: &str = "FINELENS_WRITE_TOKEN";

/// Letters that a token has at least. Own choice: 24 letters of base 64 or hexadecimal digits are 96 bits or more, which nobody guesses.
const SHORTEST: usize = 24;

/// More is read of no file.
const LONGEST: usize = 1024;

/// SHA-256 of a token. Of equal length whatever was sent, and of no use to whoever gets hold of it.
#[derive(Clone, Copy)]
struct Hashed([u8; 32]);

impl Hashed {
    fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }
}

impl std::fmt::Debug for Hashed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Hashed")
    }
}

/// What was configured.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tokens {
    read: Option<Hashed>,
    write: Option<Hashed>,
}

impl Tokens {
    /// Reads the files, or where none is named the environment.
    ///
    /// # Errors
    /// A token that is too short, is not plain text, or stands for both.
    pub(crate) fn load(
        read_file: Option<&Path>,
        write_file: Option<&Path>,
        warn: &mut dyn FnMut(String),
    ) -> anyhow::Result<Self> {
        let read = token(read_file, READ_VARIABLE, warn)?;
        let write = token(write_file, WRITE_VARIABLE, warn)?;
        if read.is_some() && read == write {
            return Err(Error::SameTokens.into());
        }
        Ok(Self::of(read.as_deref(), write.as_deref()))
    }

    fn of(read: Option<&str>, write: Option<&str>) -> Self {
        Self { read: read.map(Hashed::of), write: write.map(Hashed::of) }
    }

    /// Whether anything is asked of anybody.
    pub(crate) fn any(&self) -> bool {
        self.read.is_some() || self.write.is_some()
    }

    /// What a token opens; always compared with both, and to the end.
    pub(crate) fn opens(&self, token: &str) -> Access {
        let asked = Hashed::of(token);
        let same = |known: Option<Hashed>| {
            let Hashed(bytes) = known.unwrap_or(Hashed([0; 32]));
            Choice::from(u8::from(known.is_some())) & bytes.ct_eq(&asked.0)
        };
        let (read, write) = (same(self.read), same(self.write));
        match (bool::from(write), bool::from(read)) {
            (true, _) => Access::Write,
            (_, true) => Access::Read,
            _ => Access::Nothing,
        }
    }
}

fn token(
    file: Option<&Path>,
    variable: &'static str,
    warn: &mut dyn FnMut(String),
) -> anyhow::Result<Option<String>> {
    let (origin, text) = match (file, std::env::var_os(variable)) {
        (Some(file), _) => (file.display().to_string(), read(file, warn)?),
        (None, Some(value)) => (variable.to_owned(), value.into_string().unwrap_or_default()),
        (None, None) => return Ok(None),
    };
    Ok(Some(checked(&origin, &text)?.to_owned()))
}

/// A token without the space around it.
fn checked<'a>(origin: &str, text: &'a str) -> Result<&'a str, Error> {
    let token = text.trim();
    let told = |found: String| Error::Token { origin: origin.to_owned(), least: SHORTEST, found };
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(told("spaces or other signs".to_owned()));
    }
    if token.len() < SHORTEST {
        return Err(told(format!("{} letters", token.len())));
    }
    if token.len() > LONGEST {
        return Err(told(format!("more than {LONGEST} letters")));
    }
    Ok(token)
}

fn read(file: &Path, warn: &mut dyn FnMut(String)) -> anyhow::Result<String> {
    let opened = fs_err::File::open(file)?;
    if let Some(told) = open_to_others(&opened.metadata()?) {
        warn(format!("{}: {told}; chmod 600 closes it", file.display()));
    }
    let mut bytes = Vec::new();
    opened.take(2 * LONGEST as u64).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(unix)]
fn open_to_others(file: &std::fs::Metadata) -> Option<&'static str> {
    use std::os::unix::fs::PermissionsExt;
    let others = file.is_file() && file.permissions().mode() & 0o077 != 0;
    others.then_some("other users of this machine may read the token, or change it")
}

#[cfg(not(unix))]
fn open_to_others(_: &std::fs::Metadata) -> Option<&'static str> {
    None
}

/// The token that a request carries.
///
/// # Errors
/// Two headers, or another way than `Bearer`.
pub(crate) fn carried(headers: &HeaderMap) -> Result<Option<&str>, Failure> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let bearer = value.to_str().ok().and_then(|text| text.split_once(' '));
    let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let wrong = || {
        let told = "expected one header Authorization: Bearer TOKEN";
        Failure::new(StatusCode::UNAUTHORIZED, "bad_authorization", told)
    };
    let bearer = bearer.filter(|_| values.next().is_none());
    bearer.map(|(_, token)| Some(token.trim())).ok_or_else(wrong)
}

/// Refuses a token behind the `?`, even where it would not be needed: it has been written down by now.
pub(crate) fn refuse_in_address(uri: &Uri) -> Result<(), Failure> {
    let query = uri.query().unwrap_or_default().as_bytes();
    let secret = |name: &str| {
        ["token", "access_token", "read_token", "write_token"]
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known))
    };
    if form_urlencoded::parse(query).any(|(name, _)| secret(&name)) {
        return Err(Failure::bad("token_in_address", "a token has no place in an address")
            .hint("addresses end up in histories and logs: change the token, and send it as Authorization: Bearer TOKEN"));
    }
    Ok(())
}

/// Files that hold the tokens.
#[derive(Debug, Clone, Default)]
pub(crate) struct TokenFiles {
    /// For reading.
    pub(crate) read: Option<PathBuf>,
    /// For writing.
    pub(crate) write: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: &str = "reading-reading-reading-1";
    const WRITE: &str = "writing-writing-writing-1";

    #[test]
    fn each_token_opens_what_it_is_for() {
        let both = Tokens::of(Some(READ), Some(WRITE));
        assert_eq!(both.opens(READ), Access::Read);
        assert_eq!(both.opens(WRITE), Access::Write);
        for wrong in ["", "reading", "reading-reading-reading-12", "\0"] {
            assert_eq!(both.opens(wrong), Access::Nothing, "{wrong:?}");
        }
        assert_eq!(Tokens::of(Some(READ), None).opens(WRITE), Access::Nothing);
        assert_eq!(Tokens::default().opens(""), Access::Nothing);
    }

    #[test]
    fn a_token_that_can_be_guessed_is_refused() {
        assert_eq!(checked("x", " reading-reading-reading-1\r\n").unwrap(), READ);
        for (text, found) in [
            ("", "found 0 letters"),
            ("secret", "found 6 letters"),
            ("reading reading reading reading", "found spaces"),
            ("r\u{e9}ading-reading-reading-1", "found spaces or other signs"),
        ] {
            let told = checked("FILE", text).unwrap_err().to_string();
            assert!(told.contains(found) && told.contains("FILE"), "{told}");
        }
    }

    #[test]
    fn a_token_comes_from_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let (read, write) = (dir.path().join("read"), dir.path().join("write"));
        fs_err::write(&read, READ).unwrap();
        fs_err::write(&write, format!("{WRITE}\n")).unwrap();
        let mut warnings = Vec::new();
        let tokens =
            Tokens::load(Some(&read), Some(&write), &mut |told| warnings.push(told)).unwrap();
        assert_eq!((tokens.opens(READ), tokens.opens(WRITE)), (Access::Read, Access::Write));
        let same = Tokens::load(Some(&read), Some(&read), &mut |_| {}).unwrap_err();
        assert!(same.to_string().contains("same"), "{same}");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_warned_of() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("read");
        fs_err::write(&path, READ).unwrap();
        for (mode, warned) in [(0o644, 1), (0o640, 1), (0o600, 0), (0o400, 0)] {
            fs_err::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            let mut warnings = Vec::new();
            Tokens::load(Some(&path), None, &mut |told| warnings.push(told)).unwrap();
            assert_eq!(warnings.len(), warned, "{mode:o}: {warnings:?}");
        }
    }

    #[test]
    fn a_token_behind_the_question_mark_is_refused() {
        for address in ["/?token=x", "/api/search?q=a&TOKEN=x", "/?access%5Ftoken=x", "/?tok%65n"] {
            let told = refuse_in_address(&address.parse().unwrap()).unwrap_err();
            assert_eq!(told.code(), "token_in_address", "{address}");
        }
        refuse_in_address(&"/api/search?q=token%3Dx".parse().unwrap()).unwrap();
    }

    #[test]
    fn a_token_is_carried_one_way_only() {
        let with = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, value.parse().unwrap());
            }
            carried(&headers).map(|token| token.map(str::to_owned)).map_err(|told| told.code())
        };
        assert_eq!(with(&[]), Ok(None));
        assert_eq!(with(&["bearer  abc "]), Ok(Some("abc".to_owned())));
        for wrong in [&["Basic abc"][..], &["abc"], &["Bearer"], &["Bearer a", "Bearer b"]] {
            assert_eq!(with(wrong), Err("bad_authorization"), "{wrong:?}");
        }
    }
}
