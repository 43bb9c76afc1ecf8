//! `holdfast`: what a person needs before, during and after a failover.

mod adopt;
mod after;
mod announce;
mod approve;
mod asked;
mod check;
mod cli;
mod database;
mod dns;
mod drill;
mod examples;
mod explain;
mod failback;
mod failure;
mod fence;
mod guard;
mod hold;
mod init;
mod look;
mod orders;
mod plan;
mod positions;
mod readiness;
mod report;
mod standby;
mod status;
mod steps;
mod summons;
mod switchover;
mod terminal;
mod unlatch;
mod unreached;
mod workload;

use std::process::ExitCode;

use aws::Session;
use clap::CommandFactory as _;

use cli::{Arguments, Command};
use failure::Failure;
use terminal::Terminal;
use workload::{Source, Workload};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::read();
    let terminal = Terminal { json: arguments.json, yes: arguments.yes };
    // Boxed, since the SDK's futures nest deeper than the compiler lays out in one piece.
    match Box::pin(run(arguments, &terminal)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal.failed(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

async fn run(arguments: Arguments, terminal: &Terminal) -> Result<(), Failure> {
    let Arguments { source, command, .. } = arguments;
    match &command {
        Command::Explain { rule } => return explain::explain(terminal, *rule),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Arguments::command(), "holdfast", &mut script);
            return terminal::print(&script)
                .map_err(|error| Failure::Usage(format!("the completions cannot be written: {error}")));
        }
        Command::Man { out } => {
            let written = match out {
                Some(folder) => std::fs::create_dir_all(folder)
                    .and_then(|()| clap_mangen::generate_to(Arguments::command(), folder)),
                None => {
                    let mut page = Vec::new();
                    clap_mangen::Man::new(Arguments::command()).render(&mut page).and_then(|()| terminal::print(&page))
                }
            };
            return written.map_err(|error| Failure::Usage(format!("the manual cannot be written: {error}")));
        }
        _ => {}
    }
    let session = Session::load_in(source.region.clone()).await.patient();
    let ended = match &command {
        Command::Init(options) => Box::pin(init::run(&source, terminal, options)).await,
        _ => obey(session.clone(), source, command, terminal).await,
    };
    match ended {
        Err(Failure::Aws(error)) => Err(Failure::of_call(&session, error).await),
        ended => ended,
    }
}

async fn obey(session: Session, source: Source, command: Command, terminal: &Terminal) -> Result<(), Failure> {
    let workload = Workload::load(session, &source, terminal).await?;
    match command {
        Command::Status { check: true, .. } => check::check(&workload, terminal).await,
        Command::Status { watch, verbose, .. } => status::show(&workload, terminal, source.dns, watch, verbose).await,
        Command::Readiness { file, verbose } => standby::readiness(&workload, terminal, file.as_deref(), verbose).await,
        Command::Plan(what_if) => plan::show(&workload, terminal, &what_if).await,
        Command::Arm(ask) => orders::arm(&workload, terminal, &ask.reason).await,
        Command::Disarm { lasting, ask } => orders::disarm(&workload, terminal, lasting, &ask).await,
        Command::Adopt { off } => adopt::adopt(&workload, terminal, off).await,
        Command::Maintenance { command } => orders::maintenance(&workload, terminal, command).await,
        Command::Unlatch { incident, users_move_now, ask } => {
            unlatch::unlatch(&workload, terminal, &incident, users_move_now, &ask).await
        }
        Command::Reject { incident, ask } => orders::reject(&workload, terminal, incident, &ask).await,
        Command::PinAgain => orders::pin_again(&workload, terminal).await,
        Command::Release { ask } => orders::release(&workload, terminal, &ask).await,
        Command::Approve { incident, despite, ask, access } => {
            approve::approve(&workload, terminal, incident, despite, (&ask, &access)).await
        }
        Command::Failover { despite, ask, access } => {
            summons::failover(&workload, terminal, despite, (&ask, &access)).await
        }
        Command::Switchover(command) => switchover::run(&workload, terminal, &command).await,
        Command::After(named) => after::after(&workload, terminal, &named).await,
        Command::Failback { command } => failback::run(&workload, terminal, command).await,
        Command::Fence { command } => fence::run(&workload, terminal, command).await,
        Command::Drill(options) => Box::pin(drill::run(&workload, terminal, source.dns, &options)).await,
        Command::Report { incident, html } => report::tell(&workload, terminal, incident, html).await,
        Command::Init(_) | Command::Explain { .. } | Command::Completions { .. } | Command::Man { .. } => Ok(()),
    }
}
