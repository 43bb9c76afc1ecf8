//! replica-promoter
