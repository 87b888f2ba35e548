//! The NSS module where libc looks for modules.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::link::dist;
use super::process::run;
use super::sandbox::Sandbox;

/// The module's file.
pub const MODULE: &str = "libnss_rustdns.so.2";

/// Puts the module into libc's own folder, in a layer over it that only this sandbox sees.
pub fn install(sandbox: &Sandbox) {
    let folder = library_folder();
    for layer in ["upper", "work"] {
        fs::create_dir_all(Path::new("/run/modules").join(layer)).unwrap();
    }
    let layers = format!(
        "lowerdir={},upperdir=/run/modules/upper,workdir=/run/modules/work",
        folder.display()
    );
    let mut mount = sandbox.command("mount");
    mount.args(["-t", "overlay", "overlay", "-o", &layers]).arg(&folder);
    let output = run(mount, Duration::from_secs(25));
    assert!(output.success(), "mount: {output}");
    fs::copy(dist().join(MODULE), folder.join(MODULE)).unwrap();
}

/// Where libc is, which is where it looks for modules.
pub fn library_folder() -> PathBuf {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let libc = maps.lines().find_map(|line| {
        let path = Path::new(line.split_whitespace().nth(5)?);
        (path.file_name()? == "libc.so.6").then(|| path.parent().map(Path::to_owned))?
    });
    libc.expect("this test is linked with libc.so.6")
}
