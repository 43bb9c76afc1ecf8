//! What the environment says.

use std::net::{Ipv4Addr, SocketAddr};

use axum::http::Uri;
use mysql_async::Opts;

/// The port of site.yaml, where nothing else is said.
const PORT: u16 = 8080;

/// What differs by region.
#[derive(Debug)]
pub struct Settings {
    /// The database of this region.
    pub database: Opts,
    /// What the names of assets are appended to.
    pub assets: Uri,
    /// What this region is called.
    pub region: String,
    /// Where to listen.
    pub listens_at: SocketAddr,
}

/// A variable that is missing or wrong, and the remedy.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// It is not there, or empty.
    #[error("{0} is not set: {1}")]
    Missing(&'static str, &'static str),
    /// It is there and no good. It may hold a password, so it is not repeated.
    #[error("{0} is not usable: {1}")]
    Wrong(&'static str, &'static str),
}

const DATABASE: (&str, &str) = (
    "DATABASE_URL",
    "give it the endpoint of this region's cluster, as in mysql://app:PASSWORD@HOST:3306/app (%-encode what a URL cannot hold)",
);
const ASSETS: (&str, &str) =
    ("ASSETS_URL", "give it the address of this region's bucket, as in https://BUCKET.s3.REGION.amazonaws.com");
const REGION: (&str, &str) = ("AWS_REGION", "name the region that this instance is in, as in eu-west-1");
const LISTEN: (&str, &str) =
    ("PORT", "give it a number, or ADDRESS:PORT to be heard at one address only, or leave it away for 8080");

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// If one is missing or wrong.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let given = |(name, remedy): (&'static str, &'static str)| {
            variable(name).filter(|value| !value.is_empty()).ok_or(Error::Missing(name, remedy))
        };
        let wrong = |(name, remedy): (&'static str, &'static str)| Error::Wrong(name, remedy);
        let database = Opts::from_url(&given(DATABASE)?).map_err(|_| wrong(DATABASE))?;
        let assets: Uri = given(ASSETS)?.trim_end_matches('/').parse().map_err(|_| wrong(ASSETS))?;
        if !matches!(assets.scheme_str(), Some("http" | "https")) {
            return Err(wrong(ASSETS));
        }
        let listens_at = match given(LISTEN) {
            Ok(port) => anywhere(&port).or_else(|| port.parse().ok()).ok_or_else(|| wrong(LISTEN))?,
            Err(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT)),
        };
        Ok(Self { database, assets, region: given(REGION)?, listens_at })
    }
}

fn anywhere(port: &str) -> Option<SocketAddr> {
    let port = port.parse().ok().filter(|port| *port > 0)?;
    Some(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: [(&str, &str); 3] = [
        ("DATABASE_URL", "mysql://app:s3cret@db.example.com:3307/app"),
        ("ASSETS_URL", "https://assets.s3.eu-west-1.amazonaws.com/"),
        ("AWS_REGION", "eu-west-1"),
    ];

    fn read(changed: &[(&str, &str)]) -> Result<Settings, Error> {
        let of = |name: &str, all: &[(&str, &str)]| {
            all.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Settings::read(|name| of(name, changed).or_else(|| of(name, &WHOLE)))
    }

    #[test]
    fn three_variables_are_enough_and_the_port_is_8080_unless_given() {
        let settings = read(&[]).unwrap();
        assert_eq!((settings.database.ip_or_hostname(), settings.database.tcp_port()), ("db.example.com", 3307));
        assert_eq!((settings.region.as_str(), settings.listens_at), ("eu-west-1", "0.0.0.0:8080".parse().unwrap()));
        assert_eq!(read(&[("PORT", "80")]).unwrap().listens_at, "0.0.0.0:80".parse().unwrap());
        assert_eq!(read(&[("PORT", "127.0.0.1:0")]).unwrap().listens_at, "127.0.0.1:0".parse().unwrap());
    }

    #[test]
    fn an_error_names_the_variable_and_the_remedy_and_never_the_password() {
        for (name, value) in [
            ("DATABASE_URL", ""),
            ("DATABASE_URL", "postgres://app:s3cret@db.example.com/app"),
            ("ASSETS_URL", "assets"),
            ("ASSETS_URL", "s3://assets"),
            ("AWS_REGION", ""),
            ("PORT", "0"),
            ("PORT", "http"),
        ] {
            let said = read(&[(name, value)]).unwrap_err().to_string();
            assert!(said.starts_with(name) && said.contains(", ") && !said.contains("s3cret"), "{said}");
        }
    }
}
