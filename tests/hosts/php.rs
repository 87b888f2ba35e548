//! php-fpm, whose workers are forked, locked in and made somebody else before they look a name up.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::object::{World, jail};
use crate::support::process;
use crate::support::sandbox::{Sandbox, skip};

const AT: &str = "127.0.0.1:9000";

/// A daemon that ends with the test.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        // It takes its workers along, which SIGKILL would leave behind.
        process::terminate(&self.0);
        self.0.wait().unwrap();
    }
}

fn php_fpm() -> Option<PathBuf> {
    let found = fs::read_dir("/usr/sbin").unwrap().filter_map(Result::ok).map(|entry| entry.path());
    let is_one =
        |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("php-fpm");
    let found = found.into_iter().find(is_one);
    if found.is_none() {
        skip("no php-fpm");
    }
    found
}

/// A record of FastCGI 1.0.
fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[1, kind, 0, 1, length[0], length[1], 0, 0], content].concat()
}

/// What a script writes.
fn ask(script: &str) -> String {
    let start = Instant::now();
    let mut stream = loop {
        match TcpStream::connect(AT) {
            Err(_) if start.elapsed() < Duration::from_secs(20) => {
                std::thread::sleep(Duration::from_millis(50));
            }
            connected => break connected.unwrap(),
        }
    };
    let mut parameters = Vec::new();
    for (name, value) in
        [("SCRIPT_FILENAME", script), ("SCRIPT_NAME", script), ("REQUEST_METHOD", "GET")]
    {
        parameters.extend([name.len() as u8, value.len() as u8]);
        parameters.extend(name.bytes().chain(value.bytes()));
    }
    let begin = record(1, &[0, 1, 0, 0, 0, 0, 0, 0]);
    let request = [begin, record(4, &parameters), record(4, &[]), record(5, &[])].concat();
    stream.write_all(&request).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut written = Vec::new();
    loop {
        let mut head = [0; 8];
        stream.read_exact(&mut head).unwrap();
        let length = usize::from(u16::from_be_bytes([head[4], head[5]]));
        let mut content = vec![0; length + usize::from(head[6])];
        stream.read_exact(&mut content).unwrap();
        match head[1] {
            3 => return String::from_utf8_lossy(&written).into_owned(),
            _ => written.extend(content.iter().take(length)),
        }
    }
}

#[test]
fn php_fpm_in_a_jail_asks_over_tls() {
    let Some(program) = php_fpm() else { return };
    Sandbox::enter(|sandbox| {
        let Some(_world) = World::new(sandbox) else { return };
        let jail = jail(sandbox);
        fs::write(format!("{jail}/look.php"), "<?php echo gethostbyname('n1.test'), \"\\n\";")
            .unwrap();
        let scratch = sandbox.scratch();
        let configuration = scratch.join("php-fpm.conf");
        let text = format!(
            "[global]\nerror_log = {}/php-fpm.log\n[www]\nuser = nobody\ngroup = nogroup\n\
             listen = {AT}\npm = static\npm.max_children = 1\nchroot = {jail}\nchdir = /\n",
            scratch.display()
        );
        fs::write(&configuration, text).unwrap();
        let mut command = sandbox.command(&program);
        command.args(["-F", "-n", "-y"]).arg(&configuration);
        let mut command = sandbox.preload(command);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let _daemon = Daemon(command.spawn().unwrap());
        let got = ask("/look.php");
        let log = fs::read_to_string(scratch.join("php-fpm.log")).unwrap_or_default();
        assert!(got.ends_with("\r\n10.0.0.1\n"), "{got}\n{log}");
    });
}
