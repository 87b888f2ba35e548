//! What a call works with: the process's state (`state`), by network namespace and root directory (`worlds`), and one
//! call's view of both (`call`).

pub mod call;
pub mod inherited;
pub mod loading;
pub mod manual;
pub mod state;
pub mod worlds;
