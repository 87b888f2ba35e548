//! What programs fetch from: a web server and a git server, in threads of the test.
//!
//! Both listen on all addresses of both families and say which one was connected to.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// The one commit that the repository has.
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// Serves HTTP/1.1 on `port`: a page that names the server's address and the Host header, and
/// below `/repository.git` what git's plain HTTP protocol reads.
pub fn web(port: u16) {
    listen(port, |visitor| {
        let mut reader = BufReader::new(visitor.try_clone()?);
        let mut request = String::new();
        reader.read_line(&mut request)?;
        let mut host = String::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 || line == "\r\n" {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("host")
            {
                value.trim().clone_into(&mut host);
            }
        }
        let path = request.split(' ').nth(1).unwrap_or("/");
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        let page = match path {
            "/repository.git/info/refs" => format!("{COMMIT}\trefs/heads/main\n"),
            "/repository.git/HEAD" => "ref: refs/heads/main\n".to_owned(),
            _ => format!("{} serves {path} of {host}\n", visitor.local_addr()?.ip().to_canonical()),
        };
        write!(
            &visitor,
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{page}",
            page.len()
        )
    });
}

/// Serves git's own protocol on `port`: the list of references, nothing more.
pub fn git(port: u16) {
    listen(port, |mut visitor| {
        // git-protocol-pack(5): each line starts with its length, four hexadecimal digits.
        let mut length = [0; 4];
        visitor.read_exact(&mut length)?;
        let length =
            std::str::from_utf8(&length).ok().and_then(|t| usize::from_str_radix(t, 16).ok());
        let mut request = vec![0; length.unwrap_or(4).saturating_sub(4)];
        visitor.read_exact(&mut request)?;
        let line = format!("{COMMIT} refs/heads/main\0agent=stage\n");
        write!(visitor, "{:04x}{line}0000", line.len() + 4)?;
        // The client's good-bye, a flush; closing before it would be an error to it.
        visitor.read_exact(&mut [0; 4])
    });
}

/// Handles visitors one after the other, in a thread that lives in the caller's namespaces.
fn listen(port: u16, serve: impl Fn(TcpStream) -> io::Result<()> + Send + 'static) {
    // [::] takes IPv4 too, unless bindv6only says otherwise; a fresh namespace does not.
    let listener = TcpListener::bind(("::".parse::<std::net::Ipv6Addr>().unwrap(), port)).unwrap();
    thread::spawn(move || {
        for visitor in listener.incoming() {
            let Ok(visitor) = visitor else { continue };
            let _ = visitor.set_read_timeout(Some(Duration::from_secs(10)));
            // A program that only tries a connection sends nothing.
            let _ = serve(visitor);
        }
    });
}
