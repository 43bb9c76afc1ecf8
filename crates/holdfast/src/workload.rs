//! The deployed workload: its plan, and everything that looks at it.

use std::path::PathBuf;

use aws::beside::Beside;
use aws::probe::HttpProber;
use aws::{CallError, Session, cloudwatch, operator, rds, route53, store};
use clap::Args;
use failover::plan::{PLAN_VARIABLE, Plan};

use crate::failure::Failure;
use crate::terminal::Terminal;

/// The heading of the options that every command takes.
pub const EVERYWHERE: &str = "Options of every command";

/// Where the plan and the world are.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = EVERYWHERE)]
pub struct Source {
    /// The DR region; else the one that the environment or the profile names, as for every AWS SDK.
    #[arg(long, global = true, value_name = "REGION")]
    pub region: Option<String>,
    /// Name of the deployed event bus, which is also the prefix of the functions' names.
    #[arg(long, global = true, env = "HOLDFAST_BUS", default_value = "holdfast")]
    pub bus: String,
    /// A file with the plan; else the variable HOLDFAST_PLAN has it, if it is set; else it is read from the deployed alarm-handler.
    #[arg(long, global = true, value_name = "FILE")]
    pub plan_file: Option<PathBuf>,
    /// The plan itself, as the functions get it.
    #[arg(long, global = true, env = PLAN_VARIABLE, hide = true, conflicts_with = "plan_file")]
    pub plan: Option<String>,
    /// Name server to ask, as ADDRESS:PORT; else the hosted zone's own.
    #[arg(long, global = true, env = "HOLDFAST_DNS", value_name = "ADDRESS:PORT")]
    pub dns: Option<std::net::SocketAddr>,
}

/// Everything that looks, and nothing that can write.
#[derive(Debug)]
pub struct Workload {
    /// What is protected.
    pub plan: Plan,
    /// Settings for clients; whatever writes is made from it where it is needed.
    pub session: Session,
    /// Name of the event bus.
    pub bus: String,
    /// Looks at Route 53.
    pub records: route53::Reader,
    /// Looks at alarms and lag.
    pub metrics: cloudwatch::Reader,
    /// Looks at databases.
    pub databases: rds::Reader,
    /// Asks the sites.
    pub prober: HttpProber,
    /// Looks at the latch and asks name servers.
    pub beside: Beside<store::Reader>,
}

impl Workload {
    /// Reads the plan: from the file or the environment if given, else from the deployed function.
    pub async fn load(session: Session, source: &Source, terminal: &Terminal) -> Result<Self, Failure> {
        let text = match (&source.plan_file, &source.plan) {
            (Some(file), _) => std::fs::read_to_string(file)
                .map_err(|error| Failure::Usage(format!("--plan-file {}: {error}", file.display())))?,
            (None, Some(text)) => {
                // It may be left over from a lab, and then nothing here is about the deployed workload.
                terminal.note(format!("plan from {PLAN_VARIABLE}, and not from the deployed functions"));
                text.clone()
            }
            (None, None) => deployed_plan(&session, &source.bus).await?,
        };
        let plan = Plan::parse(&text).map_err(|error| match &source.plan_file {
            Some(file) => Failure::Usage(format!("--plan-file {}: {error}", file.display())),
            None => Failure::Usage(error.to_string()),
        })?;
        let session = session.for_plan(&plan).await;
        Ok(Self {
            plan,
            records: route53::Reader::new(&session),
            metrics: cloudwatch::Reader::new(&session),
            databases: rds::Reader::new(&session),
            prober: HttpProber,
            beside: Beside::new(store::Reader::new(&session)),
            bus: source.bus.clone(),
            session,
        })
    }

    /// Who gives the orders, and why: what registers and events put on record.
    pub async fn author(&self, reason: &str) -> Result<String, Failure> {
        let caller = operator::caller(&self.session).await?;
        Ok(if reason.is_empty() { caller } else { format!("{caller}: {reason}") })
    }
}

async fn deployed_plan(session: &Session, bus: &str) -> Result<String, Failure> {
    let function = format!("{bus}-alarm-handler");
    let region = session.config().region().map_or("no region", |region| region.as_ref());
    let remedy = format!(
        "the region is {region} now: give the DR region with --region, the stack's BusName with --bus, or the plan with --plan-file"
    );
    match operator::function_variable(session, &function, PLAN_VARIABLE).await {
        Ok(Some(plan)) => Ok(plan),
        Ok(None) => Err(Failure::Usage(format!("the function {function} has no {PLAN_VARIABLE}; {remedy}"))),
        Err(CallError::Refused { code, .. }) if code == "ResourceNotFoundException" => {
            Err(Failure::Usage(format!("there is no function {function}; {remedy}")))
        }
        Err(error) => Err(error.into()),
    }
}
