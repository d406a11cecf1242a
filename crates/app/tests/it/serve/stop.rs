//! Beginning and ending.

use super::client::Server;
use super::indexed;
use crate::folder::Folder;

#[test]
fn a_server_that_is_asked_to_stop_ends_well() {
    let folder = indexed();
    let mut server = Server::start(&folder, &[]);
    assert_eq!(server.json("/healthz")["status"], "ok");
    assert_eq!(server.json("/readyz")["status"], "ok");
    // A client that stays connected and asks nothing does not hold it up.
    let _idle = server.connect();
    server.terminate();
    assert_eq!(server.wait(), Some(0));
}

#[test]
fn an_address_that_is_taken_is_an_error_with_a_hint() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let taken = server.address.as_str();
    let output = folder.run(&["serve", "--index", "index", "--addr", taken]);
    let told = folder.shown(&output);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains(&format!("error: cannot listen at {taken}")), "{told}");
    assert!(told.contains("hint: another program listens there"), "{told}");
    // The demonstration says so before it begins to draw.
    let empty = Folder::new();
    let output = empty.run(&["demo", "--dir", "demo", "--addr", taken]);
    let told = empty.shown(&output);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("hint: another program listens there"), "{told}");
    assert!(!empty.path("demo").exists());
}
