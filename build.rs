//! Writes include/rustdns.h anew, where that was asked for (feature `header`): into the folder that
//! `RUSTDNS_HEADER_DIR` names, else beside the build's other output.

#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    reason = "a build script reads its environment, and stops loudly"
)]

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    system_calls();
    #[cfg(feature = "header")]
    header::write();
}

/// Which of several system calls that do the same a machine has: `sys::kernel`.
fn system_calls() {
    /// Machines older than the calls that take a folder's descriptor.
    const ACCESS: &[&str] = &[
        "x86_64",
        "x86",
        "arm",
        "s390x",
        "powerpc64",
        "powerpc",
        "mips64",
        "mips",
        "sparc64",
        "sparc",
        "m68k",
    ];
    /// Their offset is in pages.
    const MMAP2: &[&str] = &["x86", "arm", "powerpc", "mips", "sparc", "m68k"];
    /// One call for all of sysvipc(7).
    const IPC: &[&str] = &["x86", "s390x", "powerpc64", "powerpc", "mips", "sparc64", "sparc"];
    /// libc's `stat` is the kernel's.
    const STAT: &[&str] = &["x86_64", "aarch64", "riscv64", "s390x", "powerpc64"];
    let machine = std::env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    for (name, machines) in
        [("has_access", ACCESS), ("has_mmap2", MMAP2), ("has_ipc", IPC), ("has_stat", STAT)]
    {
        println!("cargo::rustc-check-cfg=cfg({name})");
        if machines.contains(&machine.as_str()) {
            println!("cargo::rustc-cfg={name}");
        }
    }
    // Older compilers have no assembly for POWER.
    println!("cargo::rustc-check-cfg=cfg(has_power)");
    if machine.starts_with("powerpc") && compiler() >= 96 {
        println!("cargo::rustc-cfg=has_power");
    }
}

/// The compiler's version: what stands behind the first dot.
fn compiler() -> u32 {
    let compiler = std::env::var_os("RUSTC").unwrap_or_default();
    let said = std::process::Command::new(compiler).arg("--version").output();
    let said = said.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let minor = said.unwrap_or_default().split('.').nth(1).and_then(|minor| minor.parse().ok());
    minor.unwrap_or_default()
}

#[cfg(feature = "header")]
mod header {
    use std::env;
    use std::fs;
    use std::path::{Path, PathBuf};

    pub(crate) fn write() {
        for input in ["src/abi/api.rs", "cbindgen.toml"] {
            println!("cargo::rerun-if-changed={input}");
        }
        println!("cargo::rerun-if-env-changed=RUSTDNS_HEADER_DIR");
        let root = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
        let folder =
            env::var_os("RUSTDNS_HEADER_DIR").unwrap_or_else(|| variable("OUT_DIR").into());
        let mut config = cbindgen::Config::from_root_or_default(&root);
        config.after_includes = Some(declarations());
        let header = cbindgen::Builder::new()
            .with_config(config)
            .with_src(root.join("src/abi/api.rs"))
            .generate()
            .unwrap_or_else(|e| panic!("cbindgen: {e}"));
        let mut text = Vec::new();
        header.write(&mut text);
        // The heading is rustdoc's; C programmers know it by another name.
        let text = String::from_utf8_lossy(&text)
            .replace("# Safety", "Contract:")
            // Strict C90 knows only one kind of comment.
            .replace("// __cplusplus", "/* __cplusplus */")
            .replace("// extern \"C\"", "/* extern \"C\" */");
        let file = Path::new(&folder).join("rustdns.h");
        fs::write(&file, text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    }

    /// What stands before the functions: structures that <netdb.h> hides from strict C, the version.
    fn declarations() -> String {
        let version = variable("CARGO_PKG_VERSION");
        format!(
            "\n/* As in <netdb.h> and <sys/socket.h>. */\nstruct addrinfo;\nstruct sockaddr;\n\n\
             /* The version that this header belongs to. */\n#define RUSTDNS_VERSION \"{version}\""
        )
    }

    fn variable(name: &str) -> String {
        env::var(name).unwrap_or_else(|e| panic!("{name}: {e}"))
    }
}
