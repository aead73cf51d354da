//! nginx: once as the server behind both proxies, once as the peer.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::Proxy;
use crate::command::command;
use crate::process::{Running, await_some, children};

const PATIENCE: Duration = Duration::from_secs(10);

/// A server that answers each request with 85 bytes.
pub fn upstream(scratch: &Path, core: usize) -> Result<Proxy> {
    let body = "x".repeat(85);
    start(scratch, "upstream", core, |port| {
        format!(
            "server {{ listen 127.0.0.1:{port}; keepalive_requests 1000000000;
               location / {{ default_type text/plain; return 200 \"{body}\"; }} }}"
        )
    })
}

/// A reverse proxy that does what mayfly's does: routes by Host, splits 95 to 5, gives each request
/// an id, counts requests by status (`stub_status` counts; its log is off), and keeps connections
/// to the upstream open.
pub fn proxy(scratch: &Path, upstream: SocketAddr, core: usize) -> Result<Proxy> {
    start(scratch, "proxy", core, |port| {
        format!(
            "split_clients \"$request_id\" $side {{ 5% canary; * stable; }}
             upstream stable {{ server {upstream}; keepalive 64; keepalive_requests 1000000000; }}
             upstream canary {{ server {upstream}; keepalive 64; keepalive_requests 1000000000; }}
             server {{ listen 127.0.0.1:{port} default_server; return 404; }}
             server {{ listen 127.0.0.1:{port}; server_name bench.localhost;
               keepalive_requests 1000000000;
               location = /status {{ stub_status; }}
               location / {{ proxy_pass http://$side; proxy_http_version 1.1;
                 proxy_set_header Connection \"\"; proxy_set_header Host $http_host;
                 proxy_set_header X-Forwarded-For $remote_addr;
                 proxy_set_header X-Forwarded-Proto $scheme;
                 proxy_set_header X-Request-Id $request_id;
                 add_header X-Request-Id $request_id; }} }}"
        )
    })
}

fn start(scratch: &Path, name: &str, core: usize, http: impl Fn(u16) -> String) -> Result<Proxy> {
    let folder = scratch.join(name);
    fs::create_dir_all(&folder)?;
    let address = free_address()?;
    let config = folder.join("nginx.conf");
    fs::write(&config, settings(&folder, &http(address.port())))?;
    let core = core.to_string();
    let mut nginx = command("taskset", ["-c", &core, "nginx", "-e"]);
    nginx.arg(folder.join("error.log")).arg("-c").arg(&config);
    let running = Running::start(nginx)?;
    await_some("nginx listens", PATIENCE, || {
        TcpStream::connect(address).ok()
    })
    .with_context(|| fs::read_to_string(folder.join("error.log")).unwrap_or_default())?;
    // It listens before it has a worker.
    let worker = || children(running.pid()).first().copied();
    let worker = await_some("nginx has a worker", PATIENCE, worker)?;
    Ok(Proxy {
        address,
        worker,
        _running: running,
    })
}

fn settings(folder: &Path, http: &str) -> String {
    let folder = folder.display();
    format!(
        "daemon off; worker_processes 1; pid {folder}/pid; user root;
         error_log {folder}/error.log;
         events {{ worker_connections 1024; }}
         http {{ access_log off; client_body_temp_path {folder}/body;
           proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
           uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
           {http} }}\n"
    )
}

/// An address that nothing listens on now.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
