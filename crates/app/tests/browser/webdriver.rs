//! A client of the `WebDriver` protocol: as much of it as the tests say.
//!
//! Source: W3C, "`WebDriver`" (Recommendation of 2018 and its working draft), and chromedriver's own commands under `goog/` and `se/`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

/// The name under which an element is handed over.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A running chromedriver; it ends, with its browsers, when it is dropped.
pub(crate) struct Driver {
    child: Child,
    address: String,
    agent: ureq::Agent,
}

impl Driver {
    /// Starts one, if this machine has it.
    pub(crate) fn start() -> Option<Self> {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().ok()?;
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.map_while(Result::ok).find_map(|line| {
            let number = line.split_once("successfully on port ")?.1;
            number.trim_end_matches('.').parse::<u16>().ok()
        });
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_mins(1)))
            .build()
            .new_agent();
        Some(Self { child, address: format!("http://127.0.0.1:{}", port?), agent })
    }

    /// Sends a command and returns its value, or what went wrong.
    pub(crate) fn send(&self, path: &str, body: Option<&Value>) -> Result<Value, String> {
        let address = format!("{}{path}", self.address);
        let answer = match body {
            Some(body) => {
                self.agent.post(&address).content_type("application/json").send(body.to_string())
            }
            None => self.agent.get(&address).call(),
        };
        let mut answer = answer.map_err(|error| format!("{path}: {error}"))?;
        let text = answer.body_mut().with_config().limit(64 << 20).read_to_string();
        let mut told: Value =
            serde_json::from_str(&text.map_err(|error| error.to_string())?).unwrap_or_default();
        let value = told["value"].take();
        if answer.status().is_success() {
            Ok(value)
        } else {
            Err(format!("{path}: {}", value["message"]))
        }
    }

    /// Opens a browser; the id of its session.
    pub(crate) fn open(&self, binary: Option<&str>) -> Result<String, String> {
        // In a container there is no sandbox, and little shared memory.
        let mut options = json!({ "args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
            "--hide-scrollbars", "--force-device-scale-factor=1"] });
        if let Some(binary) = binary {
            options["binary"] = binary.into();
        }
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL" } } } });
        let session = self.send("/session", Some(&wanted))?;
        Ok(session["sessionId"].as_str().unwrap_or_default().to_owned())
    }

    /// Closes it: chromedriver alone, when it is killed, leaves its browser behind.
    pub(crate) fn close(&self, session: &str) {
        let _ = self.agent.delete(format!("{}/session/{session}", self.address)).call();
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An element of a page.
#[derive(Clone, Debug)]
pub(crate) struct Element(String);

impl Element {
    /// What the protocol calls an element.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        value[ELEMENT].as_str().map(|id| Self(id.to_owned()))
    }

    /// Where its commands go.
    pub(crate) fn path(&self, command: &str) -> String {
        format!("/element/{}/{command}", self.0)
    }
}
