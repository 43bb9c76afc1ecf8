//! `orders` serves; `orders load URL [CLIENTS [SECONDS]]` is its load test.

use std::error::Error;
use std::process::ExitCode;

use axum::http::Uri;
use orders::assets::{Assets, client};
use orders::database::Database;
use orders::load;
use orders::settings::Settings;
use orders::web::{Shop, pages};
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str =
    "usage: orders, with DATABASE_URL, ASSETS_URL and AWS_REGION set; or orders load URL [CLIENTS [SECONDS]]";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let ended = match arguments[..] {
        [] => serve().await.map(|()| ExitCode::SUCCESS),
        ["load", site, ..] if arguments.len() <= 4 => test(site, &arguments[2..]).await,
        _ => Err(USAGE.into()),
    };
    ended.unwrap_or_else(|error| {
        eprintln!("orders: {error}");
        ExitCode::from(2)
    })
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let Settings { database, assets, region, listens_at } = Settings::read(|name| std::env::var(name).ok())?;
    let assets = Assets { bucket: assets, client: client()? };
    let listener = tokio::net::TcpListener::bind(listens_at).await?;
    println!("orders: serving {region} at {}", listener.local_addr()?);
    let mut told_to_stop = signal(SignalKind::terminate())?;
    let stop = async move {
        told_to_stop.recv().await;
    };
    let shop = Shop { database: Database::open(database), assets, region };
    // Whoever is being answered is answered to the end.
    Ok(axum::serve(listener, pages(shop)).with_graceful_shutdown(stop).await?)
}

/// 0 if every order was taken, 1 if not.
async fn test(site: &str, numbers: &[&str]) -> Result<ExitCode, Box<dyn Error>> {
    let site: Uri = site.parse().map_err(|_| USAGE)?;
    let number = |nth: usize, usual| numbers.get(nth).map_or(Ok(usual), |text| text.parse::<u32>().map_err(|_| USAGE));
    let (clients, seconds) = (number(0, 8)?, number(1, 30)?);
    let all = load::run(&client()?, &site, clients as usize, seconds.into()).await;
    println!("in all  {}; the longest time without one {:.1} s", load::in_words(&all), all.longest_pause.as_secs_f64());
    Ok(ExitCode::from(u8::from(all.taken == 0 || !all.failed.is_empty())))
}
