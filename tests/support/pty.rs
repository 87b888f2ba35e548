//! A program on a terminal of its own (pty(7)): what it shows there, and keys that are pressed.
#![allow(unsafe_code, reason = "terminals have no wrapper in std")]

use std::ffi::CStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use super::process::{End, kill_group, wait_until};

/// A program, and the terminal that is its standard input, output and error.
pub struct Terminal {
    child: Child,
    keyboard: File,
    shown: Vec<u8>,
}

impl Terminal {
    /// Starts the program as the terminal's foreground process.
    pub fn start(command: Command) -> Terminal {
        Terminal::start_sized(command, 24, 80)
    }

    /// The same, on a terminal of so many rows and columns.
    pub fn start_sized(mut command: Command, rows: u16, columns: u16) -> Terminal {
        // SAFETY: posix_openpt takes flags.
        let fd = unsafe { libc::posix_openpt(libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC) };
        assert!(fd >= 0, "posix_openpt: {}", io::Error::last_os_error());
        // SAFETY: the kernel has just made this descriptor for us, nobody else has it.
        let keyboard = unsafe { File::from_raw_fd(fd) };
        let mut name = [0; 64];
        // SAFETY: the descriptor is a terminal's, the buffer is valid for its length.
        let named = unsafe {
            libc::grantpt(fd) == 0
                && libc::unlockpt(fd) == 0
                && libc::ptsname_r(fd, name.as_mut_ptr(), name.len()) == 0
        };
        assert!(named, "ptsname_r: {}", io::Error::last_os_error());
        // SAFETY: ptsname_r has ended the name in NUL.
        let name = unsafe { CStr::from_ptr(name.as_ptr()) }.to_str().unwrap();
        let size = libc::winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: the descriptor is a terminal's, and `size` lives through the call.
        assert_eq!(unsafe { libc::ioctl(fd, libc::TIOCSWINSZ, &raw const size) }, 0);
        let screen = || OpenOptions::new().read(true).write(true).open(name).unwrap();
        command.stdin(screen()).stdout(screen()).stderr(screen()).env("TERM", "xterm");
        // SAFETY: both calls are allowed between fork and exec; descriptor 0 is the terminal by then.
        unsafe {
            command.pre_exec(|| {
                match libc::setsid() >= 0 && libc::ioctl(0, libc::TIOCSCTTY, 0) == 0 {
                    true => Ok(()),
                    false => Err(io::Error::last_os_error()),
                }
            });
        }
        let child = command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
        // The command has the screen's descriptors, and goes here: the child alone has them now.
        drop(command);
        Terminal { child, keyboard, shown: Vec::new() }
    }

    /// The program's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything that was shown so far, escape sequences and all.
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown).into_owned()
    }

    /// Waits until `text` is shown.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str, limit: Duration) {
        self.wait_behind(0, text, limit);
    }

    /// Waits until `text` is shown once more; what was shown meanwhile.
    #[track_caller]
    pub fn wait_for_next(&mut self, text: &str, limit: Duration) -> String {
        self.wait_behind(self.shown.len(), text, limit)
    }

    /// Waits until `text` is among what is shown behind so many octets; all of that.
    #[track_caller]
    fn wait_behind(&mut self, before: usize, text: &str, limit: Duration) -> String {
        let deadline = Instant::now() + limit;
        loop {
            let shown = String::from_utf8_lossy(&self.shown[before..]).into_owned();
            if shown.contains(text) {
                return shown;
            }
            let more = self.read_until(deadline);
            assert!(more, "no {text:?} within {limit:?}:\n{shown}");
        }
    }

    /// True where keys are shown and wait for Return, as a shell needs it.
    pub fn is_usual(&self) -> bool {
        // SAFETY: termios is plain data, for which zero is a value.
        let mut now: libc::termios = unsafe { std::mem::zeroed() };
        // SAFETY: the descriptor is a terminal's, and `now` a valid place to write to.
        assert_eq!(unsafe { libc::tcgetattr(self.keyboard.as_raw_fd(), &raw mut now) }, 0);
        let usual = libc::ICANON | libc::ECHO | libc::ISIG;
        now.c_lflag & usual == usual
    }

    /// Presses these keys: `"\x03"` is Ctrl-C.
    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for the program's end; what was shown in all, and how it ended.
    pub fn end(&mut self, limit: Duration) -> (String, End) {
        let deadline = Instant::now() + limit;
        while self.read_until(deadline) {}
        let ended = wait_until(&self.child, deadline);
        kill_group(&self.child);
        let status = self.child.wait().unwrap();
        let end = match (ended, status.signal()) {
            (false, _) => End::TimedOut(limit),
            (true, Some(signal)) => End::Signal(signal),
            (true, None) => End::Exit(status.code().unwrap()),
        };
        (self.shown(), end)
    }

    /// Reads what is shown next; false at the end, or when the time is up.
    fn read_until(&mut self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        let millis = i32::try_from(left.as_millis().saturating_add(1)).unwrap_or(i32::MAX);
        let fd = self.keyboard.as_raw_fd();
        let mut poll = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        // SAFETY: `poll` is one pollfd, and lives through the call.
        if left.is_zero() || unsafe { libc::poll(&raw mut poll, 1, millis) } == 0 {
            return false;
        }
        let mut room = [0; 4096];
        // Where nobody has the screen any more, reading fails with EIO.
        let Ok(n) = self.keyboard.read(&mut room) else { return false };
        self.shown.extend_from_slice(&room[..n]);
        n > 0
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Text as it stands on a terminal, without colours and with plain ends of lines.
pub fn without_colours(shown: &str) -> String {
    let mut out = String::new();
    let mut rest = shown;
    while let Some((before, after)) = rest.split_once("\x1b[") {
        out.push_str(before);
        rest = after.split_once(|c: char| c.is_ascii_alphabetic()).map_or("", |(_, rest)| rest);
    }
    out.push_str(rest);
    out.replace("\r\n", "\n")
}
