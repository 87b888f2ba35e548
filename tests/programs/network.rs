//! Programs that connect: ssh, ping, psql, nginx.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::stage::{Server, Stage, wait_for};
use super::text::{whole, without_between, without_lines};
use crate::support::process;

#[test]
fn ssh() {
    Stage::set(|stage| {
        // Nobody listens on port 2: the address is in the message.
        let hosts = [
            ("www.example.test", "connect to address 192.0.2.80 port 2: Connection refused"),
            ("v4", "Connecting to v4 [192.0.2.81] port 2."),
            ("many.example.test", "Connecting to many.example.test [2001:db8::81] port 2."),
            ("absent.example.test", "Could not resolve hostname absent.example.test"),
            ("text.example.test", "Could not resolve hostname text.example.test"),
        ];
        for (host, expected) in hosts {
            stage.compare(
                "ssh",
                |c| {
                    c.args(["-F", "none", "-v", "-p", "2", "-o", "BatchMode=yes"]);
                    c.args(["-o", "ConnectTimeout=1", host])
                },
                whole,
                &[expected],
            );
        }
        stage.compare(
            "ssh",
            |c| {
                c.args(["-F", "none", "-G", "-o", "CanonicalizeHostname=always"]);
                c.args(["-o", "CanonicalDomains=example.test", "-o"]);
                c.args(["CanonicalizePermittedCNAMEs=*:*", "alias"])
            },
            whole,
            &["hostname www.example.test"],
        );
    });
}

#[test]
fn ping() {
    Stage::set(|stage| {
        let targets = [
            ("-4", "loop.example.test", "64 bytes from loop.example.test (127.0.0.5)"),
            ("-4", "www", "(192.0.2.80) 56(84) bytes of data"),
            ("-6", "alias.example.test", "2001:db8::80"),
            ("-4", "127.0.0.5", "64 bytes from 127.0.0.5"),
            ("-4", "absent.example.test", "absent.example.test: Name or service not known"),
            ("-4", "v6.example.test", "ping: v6.example.test"),
        ];
        for (family, target, expected) in targets {
            stage.compare(
                "ping",
                |c| c.args([family, "-c", "1", "-W", "2", target]),
                |text| {
                    let text = without_between(text, "time=", " ms");
                    let text = without_between(&text, ", time ", "ms");
                    without_lines(&text, &["rtt min/avg/max"])
                },
                &[expected],
            );
        }
    });
}

#[test]
fn psql() {
    Stage::set(|stage| {
        let hosts = [
            ("www.example.test", "\"www.example.test\" (192.0.2.80), port 5999 failed"),
            ("v6", "\"v6\" (2001:db8::81), port 5999 failed"),
            ("alias.example.test,v4", "\"v4\" (192.0.2.81), port 5999 failed"),
            ("absent.example.test", "Name or service not known"),
            ("text.example.test", "No address associated with hostname"),
        ];
        for (host, expected) in hosts {
            stage.compare(
                "psql",
                |c| c.args(["-h", host, "-p", "5999", "-U", "nobody", "-d", "nothing"]),
                whole,
                &[expected],
            );
        }
    });
}

#[test]
fn nginx() {
    Stage::set(|stage| {
        let folder = stage.sandbox.scratch().join("nginx");
        fs::create_dir_all(&folder).unwrap();
        let conf = |file: &str, upstream: &str| {
            let path = folder.join(file);
            let text = format!(
                "user root;\npid {0}/pid;\nerror_log stderr;\ndaemon off;\nmaster_process off;\n\
                 events {{}}\nhttp {{ access_log off;\n client_body_temp_path {0}/b;\n \
                 proxy_temp_path {0}/p;\n fastcgi_temp_path {0}/f;\n uwsgi_temp_path {0}/u;\n \
                 scgi_temp_path {0}/s;\n server {{ listen 127.0.0.1:8081;\n \
                 location / {{ proxy_pass http://{upstream}:8080; }} }} }}\n",
                folder.display()
            );
            fs::write(&path, text).unwrap();
            path
        };
        let cases = [
            ("www", "test is successful"),
            ("many.example.test", "test is successful"),
            ("absent.example.test", "host not found in upstream \"absent.example.test\""),
        ];
        for (upstream, expected) in cases {
            let file = conf("check.conf", upstream);
            stage.compare(
                "nginx",
                |c| c.arg("-t").arg("-c").arg(&file),
                |text| without_between(text, "20", ": "),
                &[expected],
            );
        }

        // The page itself, through a server that had to find its upstream at start.
        let file = conf("serve.conf", "v4.example.test");
        let page = |preloaded: bool| {
            let mut command = stage.command("nginx");
            command.arg("-c").arg(&file);
            if preloaded {
                command = stage.sandbox.preload(command);
            }
            let _nginx = Server::start(command);
            let address: SocketAddr = "127.0.0.1:8081".parse().unwrap();
            wait_for("nginx", || {
                TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok()
            });
            let mut curl = stage.sandbox.command("/usr/bin/curl");
            curl.args(["--silent", "--show-error", "--max-time", "20", "http://127.0.0.1:8081/x"]);
            process::run(curl, Duration::from_secs(30)).to_string()
        };
        let plain = page(false);
        assert!(plain.contains("192.0.2.81 serves /x of v4.example.test:8080"), "{plain}");
        assert_eq!(plain, page(true));
        stage.nsswitch("files crash dns");
        assert_eq!(plain, page(true));
    });
}
