//! TLS as Route 53's checkers speak it: "HTTPS health checks don't validate SSL/TLS certificates, so checks don't fail if a
//! certificate is invalid or expired" (developer guide, "Values that you specify when you create or update health checks").

use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::version::TLS12;
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

use crate::health::HealthCheckConfig;

/// How a check speaks TLS.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The name told in the handshake, if one is to be told.
    server_name: Option<String>,
}

impl Tls {
    /// As a check's settings say.
    pub fn new(config: &HealthCheckConfig) -> Self {
        let is_told = config.enable_sni != Some(false);
        Self { server_name: config.fully_qualified_domain_name.clone().filter(|_| is_told) }
    }

    /// Shakes hands with whatever certificate there is.
    ///
    /// # Errors
    /// If the other side speaks no TLS that we do.
    pub async fn handshake(&self, stream: TcpStream) -> Result<TlsStream<TcpStream>, String> {
        let failed = |why: String| format!("TLS handshake failed: {why}");
        let provider = Arc::new(aws_lc_rs::default_provider());
        // "The endpoint must support TLS v1.0, v1.1, or v1.2" (API reference, HealthCheckConfig.Type): one that speaks only
        // 1.3 looks down. Of the three the library has the last.
        let config = ClientConfig::builder_with_provider(provider.clone()).with_protocol_versions(&[&TLS12]);
        let mut config = config
            .map_err(|error| failed(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth();
        config.enable_sni = self.server_name.is_some();
        let name = match &self.server_name {
            Some(name) => ServerName::try_from(name.clone()).map_err(|error| failed(error.to_string()))?,
            None => ServerName::IpAddress(std::net::Ipv4Addr::LOCALHOST.into()),
        };
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| failed(error.to_string()))
    }
}

/// Takes every certificate; only the handshake's own signatures must be right.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
