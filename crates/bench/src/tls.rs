//! TLS before the lab's plain endpoint, one address a service as on AWS, with a certificate that only our own bundle vouches for.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::Failure;

/// What this machine trusts; Lambda's image has as many in its bundle.
const SYSTEM_BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Terminates TLS for an endpoint.
#[derive(Clone)]
pub struct Front {
    acceptor: TlsAcceptor,
    behind: SocketAddr,
}

impl Front {
    /// Makes a certificate authority and a certificate of `localhost`, and writes the machine's bundle with that authority
    /// in it to `bundle`.
    ///
    /// # Errors
    /// If there is no bundle on this machine, or it cannot be written.
    pub fn new(behind: SocketAddr, bundle: &Path) -> Result<Self, Failure> {
        let mut params = CertificateParams::new(Vec::<String>::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(DnType::CommonName, "the benchmark's authority");
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(vec!["localhost".to_owned()])?.signed_by(&key, &authority)?;
        let trusted = std::fs::read_to_string(SYSTEM_BUNDLE)
            .map_err(|error| format!("{SYSTEM_BUNDLE}: {error}; on Debian: apt-get install ca-certificates"))?;
        std::fs::write(bundle, trusted + &authority.pem())?;

        let key = PrivateKeyDer::try_from(key.serialize_der())?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![CertificateDer::from(certificate)], key)?;
        // Every process is a cold one: no ticket of a former could serve it anyway.
        config.send_tls13_tickets = 0;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), behind })
    }

    /// Opens one more address; its URL.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn open(&self) -> Result<String, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("https://localhost:{}", listener.local_addr()?.port());
        let front = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let front = front.clone();
                tokio::spawn(async move {
                    // Connections end as their process does.
                    let _ = front.forward(stream).await;
                });
            }
        });
        Ok(url)
    }

    async fn forward(&self, stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut client = self.acceptor.accept(stream).await?;
        let mut service = TcpStream::connect(self.behind).await?;
        service.set_nodelay(true)?;
        tokio::io::copy_bidirectional(&mut client, &mut service).await?;
        Ok(())
    }
}
