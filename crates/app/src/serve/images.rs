//! Pictures as safe answers: of a fixed type, named by the index, never by an address.
//!
//! A thumbnail is a JPEG that we made. Of an original the file's own bytes are sent where every browser shows them the right
//! way up, and a JPEG of ours otherwise; nothing else of a disk is ever sent.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use finelens_clip::picture::Format;
use finelens_clip::{Area, Decoder, Filter, Picture, resample};
use finelens_search::{Backend, Place};
use fs_err::File;
use futures_util::stream::try_unfold;
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use sha2::{Digest, Sha256};

use super::collection::Collection;
use super::failure::Failure;
use super::gate::blocking;
use super::guard::hexadecimal;
use super::state::Served;
use crate::indexing;

/// How long a browser need not ask again. Own choice: a picture that was replaced is seen after five minutes at the latest.
const FRESH: &str = "private, max-age=300";

/// Nothing in a picture is ever run, whatever a browser takes it for.
const INERT: &str = "default-src 'none'; sandbox";

/// Quality of pictures that are encoded anew, 1 to 100. Own choice: no traces are seen at full size.
const QUALITY: u8 = 92;
/// Quality of thumbnails, as the index makes them.
const THUMBNAIL_QUALITY: u8 = 80;

/// Bytes of an original at most: more than any camera writes.
const LARGEST: u64 = 256 << 20;

/// Bytes that are read of a file at a time.
const CHUNK: usize = 256 << 10;

/// A thumbnail at most `size` pixels on its longer side.
pub(crate) async fn thumbnail(
    served: Arc<Served>,
    id: String,
    size: usize,
    asked: &HeaderMap,
) -> Result<Response, Failure> {
    let admitted = served.gate.enter()?;
    let found = admitted.work(move || kept_thumbnail(&served, &id)).await?.0?;
    let tag = tag(&[b"thumbnail", &size.to_le_bytes(), &found]);
    if is_known(asked, &tag) {
        return Ok(unchanged(&tag));
    }
    let jpeg = blocking(move || at_most(found, size)).await??;
    Ok(answer("image/jpeg", FRESH, &tag, jpeg.into()))
}

fn kept_thumbnail(served: &Served, id: &str) -> Result<Vec<u8>, Failure> {
    for (_, collection) in served.collections() {
        if let Some(thumbnail) = collection.reader.thumbnail(id)? {
            return Ok(thumbnail);
        }
    }
    Err(Failure::no_picture(id))
}

/// A JPEG of ours made smaller, if it is larger.
fn at_most(jpeg: Vec<u8>, size: usize) -> Result<Vec<u8>, Failure> {
    let broken = |error: &dyn std::fmt::Display| Failure::internal(error.to_string());
    let picture = Decoder::default().decode(&jpeg).map_err(|error| broken(&error))?.picture;
    let longer = picture.width().max(picture.height());
    if longer <= size {
        return Ok(jpeg);
    }
    let scaled = |side: usize| ((side * size + longer / 2) / longer).max(1);
    let (width, height) = (scaled(picture.width()), scaled(picture.height()));
    let small = resample(&picture, Area::of(&picture), width, height, Filter::Lanczos);
    encoded(&small, THUMBNAIL_QUALITY)
}

fn encoded(picture: &Picture, quality: u8) -> Result<Vec<u8>, Failure> {
    let (width, height) = (picture.width() as u32, picture.height() as u32);
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality)
        .encode(picture.rgb(), width, height, ExtendedColorType::Rgb8)
        .map_err(|error| Failure::internal(error.to_string()))?;
    Ok(bytes)
}

/// The original of a picture: to be looked at, or to be kept as it is.
pub(crate) async fn original(
    served: Arc<Served>,
    id: String,
    download: bool,
    asked: &HeaderMap,
) -> Result<Response, Failure> {
    let (admitted, known) = (served.gate.enter()?, Arc::clone(&served));
    let found = admitted.work(move || find(&known, &id)).await?.0?;
    let how = if download { "attachment" } else { "inline" };
    let tag = tag(&[how.as_bytes(), &found.state()]);
    if is_known(asked, &tag) {
        return Ok(unchanged(&tag));
    }
    let Found { file, name, length, .. } = found;
    let (bytes, file) = blocking(move || whole(file, length)).await??;
    let header = served.decoding.header(bytes.clone(), &Decoder::default()).await;
    let (kind, ending, safe) = kind(header.as_ref().map(|header| header.format).ok());
    let mut response = match header {
        Err(failure) if failure.code() != "too_large" => return Err(changed(&failure)),
        Ok(header) if !(download || safe && header.upright) => {
            let jpeg = upright(&served, bytes).await?;
            let name = renamed(&name, "jpg");
            return Ok(named(answer("image/jpeg", FRESH, &tag, jpeg.into()), how, &name));
        }
        Ok(_) => {
            drop(bytes);
            answer(kind, FRESH, &tag, streamed(file, length))
        }
        Err(failure) => return Err(failure),
    };
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    Ok(named(response, how, &renamed(&name, ending)))
}

/// A picture that was sent, encoded anew the right way up.
pub(crate) async fn reencoded(
    served: &Served,
    bytes: Bytes,
    name: &str,
) -> Result<Response, Failure> {
    let tag = tag(&[b"upload", name.as_bytes()]);
    let jpeg = upright(served, bytes).await?;
    Ok(answer("image/jpeg", "private, max-age=31536000, immutable", &tag, jpeg.into()))
}

async fn upright(served: &Served, bytes: Bytes) -> Result<Vec<u8>, Failure> {
    let encode = |picture: Picture| encoded(&picture, QUALITY);
    served.decoding.decode(bytes, &Decoder::default(), encode).await
}

fn changed(failure: &Failure) -> Failure {
    if failure.code() == "busy" || failure.code() == "too_slow_to_decode" {
        return failure.clone();
    }
    Failure::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "no_picture",
        "the original is no picture any more",
    )
    .hint("finelens index brings the index up to date")
}

/// Type and ending of a format, and whether every browser shows it.
fn kind(format: Option<Format>) -> (&'static str, &'static str, bool) {
    match format {
        Some(Format::Jpeg) => ("image/jpeg", "jpg", true),
        Some(Format::Png) => ("image/png", "png", true),
        Some(Format::WebP) => ("image/webp", "webp", true),
        Some(Format::Gif) => ("image/gif", "gif", true),
        Some(Format::Tiff) => ("image/tiff", "tiff", false),
        Some(Format::Bmp) => ("image/bmp", "bmp", false),
        _ => ("application/octet-stream", "bin", false),
    }
}

/// A file below the folder of its root.
#[derive(Debug)]
struct Found {
    file: File,
    /// Without its folders.
    name: String,
    length: u64,
    modified_ns: u128,
}

impl Found {
    /// What differs when the file does.
    fn state(&self) -> Vec<u8> {
        [&self.length.to_le_bytes()[..], &self.modified_ns.to_le_bytes(), self.name.as_bytes()]
            .concat()
    }
}

fn find(served: &Served, id: &str) -> Result<Found, Failure> {
    for (_, collection) in served.collections() {
        let Some(item) = collection.reader.get(id)? else { continue };
        let place = item.record.place.ok_or_else(gone)?;
        let folder = folder(collection, &place)?.ok_or_else(gone)?;
        return open_below(&folder, &place.path).map_err(|error| {
            tracing::info!("an original cannot be sent: {error}");
            gone()
        });
    }
    Err(Failure::no_picture(id))
}

fn folder(collection: &Collection, place: &Place) -> Result<Option<PathBuf>, Failure> {
    Ok(indexing::folders(&collection.reader, &collection.path)?.remove(&place.root))
}

fn gone() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "no_original", "the original is not where it was")
        .hint("its thumbnail is in the index; finelens admin relocate tells where originals moved")
}

/// Opens a plain file below a folder: no step upwards, no link that leads out, no pipe and no device.
fn open_below(folder: &Path, path: &str) -> std::io::Result<Found> {
    let refuse = |why: &str| Err(std::io::Error::other(why.to_owned()));
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    if path.is_empty() || !Path::new(path).components().all(plain) {
        return refuse("its path is no path below a folder");
    }
    let folder = fs_err::canonicalize(folder)?;
    let file = fs_err::canonicalize(folder.join(path))?;
    if !file.starts_with(&folder) {
        return refuse("a link leads out of its folder");
    }
    // A pipe would keep whoever opens it waiting.
    if !fs_err::symlink_metadata(&file)?.is_file() {
        return refuse("it is no plain file");
    }
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let file = open_without_waiting(&file)?;
    let state = file.metadata()?;
    if !state.is_file() || state.len() > LARGEST {
        return refuse("it is no plain file, or too large to be sent");
    }
    let modified = state.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Found { file, name, length: state.len(), modified_ns: modified.as_nanos() })
}

/// Should the file have been replaced by a pipe or a link since it was looked at, this fails at once.
#[cfg(unix)]
fn open_without_waiting(file: &Path) -> std::io::Result<File> {
    use fs_err::os::unix::fs::OpenOptionsExt;
    let flags = libc::O_NONBLOCK | libc::O_NOFOLLOW;
    fs_err::OpenOptions::new().read(true).custom_flags(flags).open(file)
}

#[cfg(not(unix))]
fn open_without_waiting(file: &Path) -> std::io::Result<File> {
    File::open(file)
}

/// All bytes of a file, which is then at its beginning again.
fn whole(mut file: File, length: u64) -> Result<(Bytes, File), Failure> {
    let mut bytes = Vec::with_capacity(length as usize);
    let read = (&mut file).take(length).read_to_end(&mut bytes);
    read.and_then(|_| file.seek(SeekFrom::Start(0))).map_err(|_| gone())?;
    Ok((bytes.into(), file))
}

/// So many bytes of a file, read as they are taken: a slow reader holds no more than a piece.
fn streamed(file: File, length: u64) -> Body {
    let pieces = try_unfold((file, length), |(file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let read = tokio::task::spawn_blocking(move || piece(file, left)).await;
        let (piece, file) = read.map_err(std::io::Error::other)??;
        let left = left - piece.len() as u64;
        Ok::<_, std::io::Error>(Some((piece, (file, left))))
    });
    Body::from_stream(pieces)
}

fn piece(mut file: File, left: u64) -> std::io::Result<(Bytes, File)> {
    let mut bytes = vec![0; CHUNK.min(left as usize)];
    file.read_exact(&mut bytes)?;
    Ok((bytes.into(), file))
}

/// A strong tag: another one where any of the parts is another.
fn tag(parts: &[&[u8]]) -> HeaderValue {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let text = format!("\"{}\"", hexadecimal(&hash.finalize()[..16]));
    HeaderValue::from_str(&text).unwrap_or_else(|_| unreachable!("digits between quotes"))
}

/// Whether the browser has the answer already.
///
/// Source: RFC 9110, 13.1.2: a list of tags, each of which may be weak, or a star.
fn is_known(asked: &HeaderMap, tag: &HeaderValue) -> bool {
    let lists = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|list| list.to_str().ok());
    let mut tags = lists.flat_map(|list| list.split(',')).map(str::trim);
    tags.any(|known| known == "*" || known.trim_start_matches("W/").as_bytes() == tag.as_bytes())
}

fn unchanged(tag: &HeaderValue) -> Response {
    let headers =
        [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, HeaderValue::from_static(FRESH))];
    (StatusCode::NOT_MODIFIED, headers).into_response()
}

fn answer(kind: &'static str, caching: &'static str, tag: &HeaderValue, body: Body) -> Response {
    let fixed = |text| HeaderValue::from_static(text);
    let headers: [(HeaderName, HeaderValue); 4] = [
        (header::CONTENT_TYPE, fixed(kind)),
        (header::CONTENT_SECURITY_POLICY, fixed(INERT)),
        (header::CACHE_CONTROL, fixed(caching)),
        (header::ETAG, tag.clone()),
    ];
    (headers, body).into_response()
}

/// Says under which name to keep it.
fn named(mut response: Response, how: &str, name: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(&disposition(how, name)) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

/// Source: RFC 6266, appendix D: a plain name for all, and the exact one for those who know `filename*`.
fn disposition(how: &str, name: &str) -> String {
    let plain: String = name.chars().map(|sign| if is_plain(sign) { sign } else { '_' }).collect();
    if plain == name {
        return format!("{how}; filename=\"{plain}\"");
    }
    // Encoded as in a form, but for the space; control signs have no place in a name.
    let exact: String = name.chars().filter(|sign| !sign.is_control()).collect();
    let exact: String = form_urlencoded::byte_serialize(exact.as_bytes()).collect();
    let exact = exact.replace('+', "%20").replace('*', "%2A");
    format!("{how}; filename=\"{plain}\"; filename*=UTF-8''{exact}")
}

fn is_plain(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || matches!(sign, '.' | '-' | '_' | ' ')
}

/// Letters of a name at most.
const LONGEST_NAME: usize = 100;

/// A name with another ending, unless it has one that means the same; not hidden, not too long.
fn renamed(name: &str, ending: &str) -> String {
    let path = Path::new(name);
    let same = |known: &str| {
        let known = known.to_ascii_lowercase();
        known == ending
            || (known == "jpeg" && ending == "jpg")
            || (known == "tif" && ending == "tiff")
    };
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let stem: String = stem.trim_start_matches('.').chars().take(LONGEST_NAME).collect();
    let stem = if stem.is_empty() { "picture" } else { &stem };
    match path.extension().and_then(|known| known.to_str()).filter(|known| same(known)) {
        Some(known) => format!("{stem}.{known}"),
        None => format!("{stem}.{ending}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_plain_for_all_and_exact_for_those_who_know() {
        assert_eq!(disposition("inline", "a b.jpg"), "inline; filename=\"a b.jpg\"");
        assert_eq!(
            disposition("attachment", "Fluß \"*\r\n.jpg"),
            "attachment; filename=\"Flu_ ____.jpg\"; filename*=UTF-8''Flu%C3%9F%20%22%2A.jpg"
        );
        for (name, ending, expected) in [
            ("a.JPEG", "jpg", "a.JPEG"),
            ("a.tif", "jpg", "a.jpg"),
            ("a.html", "png", "a.png"),
            (".htaccess", "png", "htaccess.png"),
            ("", "png", "picture.png"),
            ("a.b.exe", "gif", "a.b.gif"),
        ] {
            assert_eq!(renamed(name, ending), expected);
        }
    }

    #[test]
    fn a_tag_is_recognised_in_a_list() {
        let tag = tag(&[b"a", b"bc"]);
        assert_ne!(tag, super::tag(&[b"ab", b"c"]));
        let asks = |value: String| {
            let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, value.parse().unwrap())]);
            is_known(&headers, &tag)
        };
        let text = tag.to_str().unwrap();
        assert!(asks(format!("\"x\", W/{text}")) && asks("*".to_owned()));
        assert!(!asks("\"x\"".to_owned()) && !asks(text.trim_matches('"').to_owned()));
    }

    #[cfg(unix)]
    #[test]
    fn only_plain_files_below_the_folder_are_opened() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        fs_err::create_dir_all(root.join("in")).unwrap();
        fs_err::write(root.join("in/a.jpg"), "inside").unwrap();
        fs_err::write(dir.path().join("secret"), "outside").unwrap();
        symlink("in/a.jpg", root.join("inward")).unwrap();
        symlink("../secret", root.join("outward")).unwrap();
        symlink("..", root.join("up")).unwrap();
        symlink("/dev/zero", root.join("device")).unwrap();
        let pipe = root.join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for path in ["in/a.jpg", "inward"] {
            assert_eq!(open_below(&root, path).unwrap().length, 6, "{path}");
        }
        let absolute = dir.path().join("secret").display().to_string();
        for path in [
            "",
            ".",
            "..",
            "../secret",
            "in/../../secret",
            &absolute,
            "outward",
            "up/secret",
            "in",
            "device",
            "pipe",
            "missing",
            "in/a.jpg\0",
            "in\\..\\..\\secret",
        ] {
            let opened = open_below(&root, path);
            assert!(opened.is_err(), "{path:?}: {opened:?}");
        }
        assert!(open_without_waiting(&pipe).is_ok_and(|file| !file.metadata().unwrap().is_file()));
        assert!(open_without_waiting(&root.join("inward")).is_err());
    }
}
