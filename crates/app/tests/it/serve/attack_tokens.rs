//! Attacks on tokens and sessions.

use serde_json::json;

use super::client::{Answer, Request, Server};
use super::{id, indexed, rows};
use crate::folder::Folder;

const READ: &str = "reading-reading-reading-1";
const WRITE: &str = "writing-writing-writing-1";

/// A server that asks for tokens, one from a file and one from the environment.
fn guarded(folder: &Folder) -> Server {
    folder.write("write.token", format!("{WRITE}\n"));
    let words =
        ["serve", "--index", "index", "--addr", "127.0.0.1:0", "--write-token-file", "write.token"];
    let mut command = folder.command(&words);
    command.env("FINELENS_READ_TOKEN", READ);
    Server::spawn(command)
}

fn bearer(request: Request, token: &str) -> Request {
    request.header("Authorization", &format!("Bearer {token}"))
}

fn login(server: &Server, token: &str) -> Answer {
    server.send(&server.request("POST", "/api/login").json(&json!({ "token": token })))
}

/// What a browser sends back.
fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie").unwrap_or_else(|| panic!("{answer:?}"));
    assert!(set.contains("; HttpOnly") && set.contains("; SameSite=Strict"), "{set}");
    assert!(!set.contains(READ) && !set.contains(WRITE), "{set}");
    set.split(';').next().unwrap().to_owned()
}

#[test]
fn each_token_opens_what_it_is_for_and_nothing_else() {
    let folder = indexed();
    let server = guarded(&folder);
    let picture = format!("/api/pictures/{}", id(&rows(&folder)[0]).replace('/', "%2F"));
    let search = || server.request("GET", "/api/search?limit=1");
    let delete = || server.request("DELETE", &picture).allowed();
    for path in ["/api/search", "/metrics", "/api/openapi.json", &picture, "/nothing", "/"] {
        assert_eq!(server.get(path).failure(), (401, "login".to_owned()), "{path}");
    }
    assert_eq!(server.send(&delete()).failure().1, "login");
    for path in ["/healthz", "/readyz", "/api/session"] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
    for token in [READ, WRITE] {
        assert_eq!(server.send(&bearer(search(), token)).status, 200);
    }
    assert_eq!(server.send(&bearer(delete(), READ)).failure(), (403, "may_not_write".to_owned()));
    let marked_by_token = bearer(server.request("DELETE", "/api/pictures/none"), WRITE);
    assert!(matches!(server.send(&marked_by_token).status, 404 | 405));
    for wrong in ["x", &READ[1..], &format!("{READ}x"), "reading-reading-reading-2"] {
        assert_eq!(server.send(&bearer(search(), wrong)).status, 401, "{wrong}");
    }
    for header in ["Basic cmVhZA==", READ, "Bearer"] {
        let answer = server.send(&search().header("Authorization", header));
        assert_eq!(answer.failure(), (401, "bad_authorization".to_owned()), "{header}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
}

#[test]
fn a_token_in_an_address_is_refused_even_if_it_is_right() {
    let folder = indexed();
    let server = guarded(&folder);
    for path in ["/api/search?token=", "/?a=b&access_token=", "/healthz?Token=", "/login?t%6Fken="]
    {
        let answer = server.send(&bearer(server.request("GET", &format!("{path}{READ}")), READ));
        assert_eq!(answer.failure(), (400, "token_in_address".to_owned()), "{path}");
        assert!(!answer.text().contains(READ), "{}", answer.text());
    }
}

#[test]
fn a_session_stands_for_its_token_until_it_is_ended() {
    let folder = indexed();
    let server = guarded(&folder);
    let (read, write) = (cookie(&login(&server, READ)), cookie(&login(&server, WRITE)));
    assert_ne!(read, write);
    let with = |request: Request, cookie: &str| server.send(&request.header("Cookie", cookie));
    let search = || server.request("GET", "/api/search?limit=1");
    let delete = || server.request("DELETE", "/api/pictures/none");
    assert_eq!(with(search(), &read).status, 200);
    assert_eq!(with(delete().allowed(), &read).failure().1, "may_not_write");
    assert_eq!(with(delete(), &write).failure().1, "not_marked", "a cookie alone changes nothing");
    assert!(matches!(with(delete().allowed(), &write).status, 404 | 405));
    let session = with(server.request("GET", "/api/session"), &read).json();
    assert_eq!(session, json!({ "needs_login": true, "can_read": true, "can_write": false }));

    let name = read.split_once('=').unwrap().0;
    for forged in [
        format!("{name}="),
        format!("{name}={READ}"),
        read[..read.len() - 1].to_owned(),
        read.to_uppercase(),
    ] {
        assert_eq!(with(search(), &forged).status, 401, "{forged}");
    }
    let foreign = server.request("POST", "/api/logout").header("Origin", "http://evil.example");
    assert_eq!(with(foreign, &read).failure().1, "cross_site");
    assert_eq!(with(server.request("POST", "/api/logout"), &read).status, 303);
    assert_eq!(with(search(), &read).status, 401, "it is over for whoever kept the cookie, too");
    assert_eq!(with(search(), &write).status, 200, "the other goes on");
}

#[test]
fn a_form_logs_in_and_leads_to_pages_of_ours_only() {
    let folder = indexed();
    let server = guarded(&folder);
    let kind = "application/x-www-form-urlencoded";
    let send = |origin: &str, body: &str| {
        let request = server.request("POST", "/api/login").body(kind, body);
        server.send(&request.header("Origin", origin))
    };
    let ours = format!("http://{}", server.address);
    let answer = send(&ours, &format!("token={WRITE}&next=%2F%3Fq%3Dboat"));
    assert_eq!((answer.status, answer.header("location")), (303, Some("/?q=boat")));
    assert!(!answer.header("set-cookie").unwrap().contains("Secure"));
    let tls = send(&ours.replace("http:", "https:"), &format!("token={WRITE}"));
    assert!(tls.header("set-cookie").unwrap().ends_with("; Secure"), "{tls:?}");
    for next in ["https://evil.example", "//evil.example", "/%5Cevil.example", "/%0D%0AX: y"] {
        let answer = send(&ours, &format!("token={WRITE}&next={next}"));
        assert_eq!(answer.header("location"), Some("/"), "{next}");
    }
    let wrong = send(&ours, "token=wrong&next=/a");
    assert_eq!(wrong.header("location"), Some("/login?failed=1&next=%2Fa"));
    assert_eq!(wrong.header("set-cookie"), None);
    assert_eq!(send("http://evil.example", &format!("token={WRITE}")).failure().1, "cross_site");
    let page = server.request("GET", "/?q=a+boat").header("Accept", "text/html");
    let page = server.send(&page);
    assert_eq!(
        (page.status, page.header("location")),
        (303, Some("/login?next=%2F%3Fq%3Da%2Bboat"))
    );
}

#[test]
fn guessing_is_slowed_down_and_holds_up_nobody_who_is_in() {
    let folder = indexed();
    let server = guarded(&folder);
    let inside = cookie(&login(&server, READ));
    for guess in 0..10 {
        assert_eq!(
            login(&server, &format!("guess-{guess}")).failure(),
            (401, "bad_token".to_owned())
        );
    }
    let answer = login(&server, READ);
    assert_eq!(answer.failure(), (429, "throttled".to_owned()));
    let wait: u16 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=6).contains(&wait), "{wait}");
    let search = server.request("GET", "/api/search?limit=1");
    assert_eq!(server.send(&bearer(search.clone(), "guess")).status, 429, "by another door, too");
    assert_eq!(server.send(&search.header("Cookie", &inside)).status, 200);
}

#[test]
fn what_is_no_login_is_told_so() {
    let folder = indexed();
    let server = guarded(&folder);
    let send = |kind: &str, body: &str| {
        server.send(&server.request("POST", "/api/login").body(kind, body)).failure()
    };
    assert_eq!(send("application/json", "{").1, "bad_login");
    assert_eq!(send("application/json", "{\"token\": 1}").1, "bad_login");
    assert_eq!(send("application/x-www-form-urlencoded", "a=b").1, "bad_login");
    assert_eq!(send("text/plain", "{\"token\":\"x\"}").0, 415);
    assert_eq!(send("application/json", &"x".repeat(5000)), (413, "too_large".to_owned()));
    let open = Server::start(&folder, &[]);
    assert_eq!(login(&open, READ).failure().1, "no_login");
    assert_eq!(open.json("/api/session")["needs_login"], false);
}

#[test]
fn neither_the_log_nor_the_counters_tell_what_was_asked() {
    let folder = indexed();
    folder.write("write.token", WRITE);
    let mut command = folder.command(&[
        "serve",
        "--index",
        "index",
        "--addr",
        "127.0.0.1:0",
        "-v",
        "--log-format",
        "json",
        "--write-token-file",
        "write.token",
    ]);
    let log = folder.path("log");
    command.stderr(fs_err::File::create(&log).unwrap().into_file());
    let server = Server::spawn_logged(command);
    let cookie = cookie(&login(&server, WRITE));
    let asked =
        server.request("GET", "/api/search?q=privateword&mode=lexical").header("Cookie", &cookie);
    let answer = server.send(&asked);
    let request = answer.header("x-request-id").unwrap().to_owned();
    assert!(!request.contains("mine"));
    server.send(&asked.header("X-Request-Id", "mine\" injected"));
    server.send(&bearer(server.request("GET", "/api/pictures/privateid"), WRITE));
    let metrics = server.send(&bearer(server.request("GET", "/metrics"), WRITE)).text();
    assert!(metrics.contains("route=\"/api/search\""), "{metrics}");
    drop(server);
    let log = fs_err::read_to_string(log).unwrap();
    let line = log.lines().find(|line| line.contains(&request)).unwrap_or_else(|| panic!("{log}"));
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["status"], 200);
    assert_eq!(line["span"]["route"], "/api/search");
    let secret = cookie.split_once('=').unwrap().1;
    for private in ["privateword", "privateid", WRITE, secret, "injected"] {
        assert!(
            !log.contains(private) && !metrics.contains(private),
            "{private}\n{log}\n{metrics}"
        );
    }
}
