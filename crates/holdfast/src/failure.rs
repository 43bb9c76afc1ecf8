//! Why a command did not do what it was asked for.

use aws::CallError;

/// What went wrong, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A rule or the state of things does not allow it.
    #[error("{0}")]
    Refused(String),
    /// The command cannot be understood or carried out here.
    #[error("{0}")]
    Usage(String),
    /// AWS did not do its part.
    #[error("{0}; run the command again: it goes on from what it finds")]
    Aws(#[from] CallError),
    /// A person did not confirm.
    #[error("not confirmed, nothing more was changed{0}")]
    NotConfirmed(&'static str),
}

impl Failure {
    /// What the shell is told; `holdfast --help` lists them.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Refused(_) => 1,
            Self::Usage(_) => 2,
            Self::Aws(_) => 3,
            Self::NotConfirmed(_) => 4,
        }
    }
}
