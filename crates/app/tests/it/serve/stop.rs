//! Beginning and ending.

use super::client::Server;
use super::indexed;

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
