//! A server's process, and the thread it belongs to.

use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

/// A process that ends when this is dropped, and with us however we end.
///
/// `PR_SET_PDEATHSIG` is about the *thread* that started a process, and the threads of an async runtime come and go. So each has a
/// thread of its own, which lives as long as it does.
#[derive(Debug)]
pub(super) struct Process {
    end: Option<Sender<End>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Clone, Copy, Debug)]
enum End {
    /// It was told to, and does.
    ByItself,
}

impl Process {
    pub fn start(mut command: Command) -> std::io::Result<Self> {
        let (end, ended) = channel();
        let (tell, told) = channel();
        let thread = std::thread::spawn(move || {
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            match command.spawn() {
                Ok(child) => {
                    let _ = tell.send(Ok(()));
                    finish(child, ended.recv().ok());
                }
                Err(error) => drop(tell.send(Err(error))),
            }
        });
        // The thread tells before anything else, so it cannot be gone.
        told.recv().map_err(std::io::Error::other)??;
        Ok(Self { end: Some(end), thread: Some(thread) })
    }

    /// Waits for the end of a process that was told to end.
    pub async fn ended(mut self) {
        let thread = self.thread.take();
        if let Some(end) = self.end.take() {
            let _ = end.send(End::ByItself);
        }
        // A thread that panicked is over too.
        let _ = tokio::task::spawn_blocking(|| thread.map(JoinHandle::join)).await;
    }
}

fn finish(mut child: Child, how: Option<End>) {
    if how.is_none() {
        // It may have ended before us.
        let _ = child.kill();
    }
    let _ = child.wait();
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
