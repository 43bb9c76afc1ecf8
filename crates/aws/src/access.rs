//! Why a person's machine cannot speak to AWS: what `holdfast` says instead of the SDK's own words.

use aws_config::profile::{self, ProfileSet};
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;

use crate::error::in_words;
use crate::session::Session;

/// What a machine lacks.
#[derive(Debug, thiserror::Error)]
pub enum Unready {
    /// Neither option, environment nor profile names a region.
    #[error("no region is set: give the DR region with --region, or in AWS_REGION, or in the profile")]
    NoRegion,
    /// The profile that is asked for is in no file.
    #[error(
        "there is no profile {name}; the files have: {there}. Correct AWS_PROFILE, or make it: aws configure --profile {name}"
    )]
    NoProfile {
        /// Its name.
        name: String,
        /// Those that are there.
        there: String,
    },
    /// The profile takes its credentials from another, which is in no file.
    #[error(
        "profile {name} takes its credentials from profile {source_profile}, which is in no file; the files have: {there}. Correct source_profile, or \
         make it: aws configure --profile {source_profile}"
    )]
    NoSourceProfile {
        /// The profile that was asked.
        name: String,
        /// What it names.
        source_profile: String,
        /// Those that are there.
        there: String,
    },
    /// The files cannot be read.
    #[error("the AWS configuration cannot be read: {0}")]
    UnreadableFiles(String),
    /// Nothing has credentials.
    #[error("no AWS credentials were found for {profile} (environment, files, container, instance): {remedy}")]
    NoCredentials {
        /// Which profile was asked.
        profile: String,
        /// What to run.
        remedy: String,
    },
    /// What should have had credentials did not give them.
    #[error("{profile} gives no AWS credentials: {why}. {remedy}")]
    RefusedCredentials {
        /// Which profile was asked.
        profile: String,
        /// What it said.
        why: String,
        /// What to run.
        remedy: String,
    },
}

/// What this machine lacks, if that is why a call did not come off; asked after a failure alone, so that no process that gives
/// credentials is run twice on good days.
pub async fn unready(session: &Session) -> Option<Unready> {
    // First, since a misspelt profile names no region either.
    let profiles = match profile::load(&Default::default(), &Default::default(), &Default::default(), None).await {
        Ok(profiles) => profiles,
        Err(error) => return Some(Unready::UnreadableFiles(in_words(&error))),
    };
    let selected = profiles.selected_profile();
    let there: Vec<_> = profiles.profiles().collect();
    let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
    if selected != "default" && profiles.get_profile(selected).is_none() {
        return Some(Unready::NoProfile { name: selected.to_owned(), there });
    }
    let Some(region) = session.config().region() else { return Some(Unready::NoRegion) };
    if let Some(source) = profiles.get("source_profile").filter(|source| profiles.get_profile(source).is_none()) {
        let (name, source_profile) = (selected.to_owned(), source.to_owned());
        return Some(Unready::NoSourceProfile { name, source_profile, there });
    }
    // Made anew: one that could not be set up says why at its first question alone.
    let fresh = Session::load_in(Some(region.to_string())).await;
    let provider = fresh.config().credentials_provider()?;
    let (profile, remedy) = (format!("profile {selected}"), log_in(&profiles));
    match provider.provide_credentials().await {
        Ok(_) => None,
        Err(CredentialsError::CredentialsNotLoaded(_)) => Some(Unready::NoCredentials { profile, remedy }),
        Err(error) => Some(Unready::RefusedCredentials { profile, why: cause(&error), remedy }),
    }
}

/// The innermost cause: the SDK's layers around it say that there was an error.
fn cause(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    let said = inner.to_string();
    // A process that gives credentials may fail without a word, and its empty standard error is quoted all the same.
    let said = said.trim_end();
    said.strip_suffix("Stderr:").unwrap_or(said).trim_end_matches(['.', ' ']).to_owned()
}

/// The command that serves the kind of profile that is selected.
fn log_in(profiles: &ProfileSet) -> String {
    let selected = profiles.selected_profile();
    let has = |key: &str| profiles.get(key).is_some();
    let option = if selected == "default" { String::new() } else { format!(" --profile {selected}") };
    if has("sso_session") || has("sso_start_url") {
        format!("Log in: aws sso login{option}")
    } else if has("login_session") {
        format!("Log in: aws login{option}")
    } else if let Some(command) = profiles.get("credential_process") {
        format!("Try what the profile runs: {command}")
    } else if let (Some(role), Some(source)) = (profiles.get("role_arn"), profiles.get("source_profile")) {
        format!("Log in with profile {source}, and see whether it may assume {role}")
    } else {
        "Log in (aws sso login, aws login), or set AWS_PROFILE".to_owned()
    }
}
