//! Programs run on a terminal of their own (pty(7)): what they write is read, keys are pressed.
#![allow(unsafe_code, reason = "std has no pseudo-terminals")]

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::foreign;
use super::process::End;

/// A terminal and the program that runs on it.
pub struct Terminal {
    master: File,
    /// Open as long as this, so that the program's end is no hang-up of the terminal.
    slave: OwnedFd,
    child: Child,
    written: String,
}

const LIMIT: Duration = Duration::from_secs(20);

impl Terminal {
    /// Runs `command` on a terminal of so many rows and columns.
    pub fn run(mut command: Command, rows: u16, columns: u16) -> Terminal {
        let (mut master, mut slave) = (-1, -1);
        let size = libc::winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: both are valid places for a descriptor; neither a name nor attributes are given.
        let opened = unsafe {
            let null = std::ptr::null_mut();
            libc::openpty(&raw mut master, &raw mut slave, null, std::ptr::null(), &raw const size)
        };
        assert_eq!(opened, 0, "openpty: {}", std::io::Error::last_os_error());
        // SAFETY: openpty has just made both descriptors for us, nobody else has them.
        let (master, slave) = unsafe { (File::from_raw_fd(master), OwnedFd::from_raw_fd(slave)) };
        for fd in [master.as_raw_fd(), slave.as_raw_fd()] {
            // SAFETY: takes an open descriptor and integers.
            unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
        }
        let stdio = || Stdio::from(slave.try_clone().unwrap());
        command.stdin(stdio()).stdout(stdio()).stderr(stdio()).env("TERM", "xterm");
        // SAFETY: setsid and ioctl may be called between fork and exec.
        unsafe {
            command.pre_exec(|| {
                libc::setsid();
                libc::ioctl(libc::STDIN_FILENO, libc::TIOCSCTTY, 0);
                Ok(())
            });
        }
        let child = command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
        Terminal { master, slave, child, written: String::new() }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &[u8]) {
        self.master.write_all(keys).unwrap();
    }

    /// Forgets what was written so far, and reads until the program has written `text`.
    #[track_caller]
    pub fn until(&mut self, text: &str) -> &str {
        self.written.clear();
        let end = Instant::now() + foreign::patience(LIMIT);
        while !self.written.contains(text) {
            assert!(self.read(end), "no {text:?} in {:?}", self.written);
        }
        &self.written
    }

    /// Reads what there is, waiting for it until `end`; false when there was none.
    fn read(&mut self, end: Instant) -> bool {
        let left = end.saturating_duration_since(Instant::now()).as_millis();
        let mut poll =
            libc::pollfd { fd: self.master.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: `poll` is one pollfd, and lives through the call.
        if unsafe { libc::poll(&raw mut poll, 1, i32::try_from(left).unwrap()) } != 1 {
            return false;
        }
        let mut some = [0; 4096];
        let count = self.master.read(&mut some).unwrap_or(0);
        self.written += &String::from_utf8_lossy(&some[..count]);
        count > 0
    }

    /// True where keys are shown and wait for Return, as a shell needs it.
    pub fn is_usual(&self) -> bool {
        // SAFETY: termios is plain data, for which zero is a value.
        let mut now: libc::termios = unsafe { std::mem::zeroed() };
        // SAFETY: the descriptor is open and `now` a valid place to write to.
        assert_eq!(unsafe { libc::tcgetattr(self.slave.as_raw_fd(), &raw mut now) }, 0);
        let usual = libc::ICANON | libc::ECHO | libc::ISIG;
        now.c_lflag & usual == usual
    }

    /// Waits for the program's end; returns what it wrote after the last [`Terminal::until`].
    #[track_caller]
    pub fn end(&mut self) -> (End, String) {
        let end = Instant::now() + foreign::patience(LIMIT);
        self.written.clear();
        let status = loop {
            self.read((Instant::now() + Duration::from_millis(20)).min(end));
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < end, "still running: {:?}", self.written);
        };
        while self.read(Instant::now()) {}
        let how = match status.signal() {
            Some(signal) => End::Signal(signal),
            None => End::Exit(status.code().unwrap()),
        };
        (how, std::mem::take(&mut self.written))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
