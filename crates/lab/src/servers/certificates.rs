//! TLS of the real servers: each has a certificate of its own address, signed by an authority of this lab, as RDS's are by its own.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};

pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    /// What clients are to trust.
    pub bundle: PathBuf,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("bundle", &self.bundle).finish_non_exhaustive()
    }
}

impl Authority {
    pub fn make(home: &Path) -> io::Result<Self> {
        let mut params = CertificateParams::new(Vec::new()).map_err(io::Error::other)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(DnType::CommonName, "the lab's databases");
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let issuer = CertifiedIssuer::self_signed(params, key).map_err(io::Error::other)?;
        let bundle = home.join("bundle.pem");
        std::fs::write(&bundle, issuer.pem())?;
        Ok(Self { issuer, bundle })
    }

    /// Puts a certificate of an address and its key into a folder; the server's options for them.
    pub fn certify(&self, folder: &Path, address: IpAddr) -> io::Result<[String; 2]> {
        let params = CertificateParams::new(vec![address.to_string()]).map_err(io::Error::other)?;
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(io::Error::other)?;
        let (certificate_file, key_file) = (folder.join("certificate.pem"), folder.join("key.pem"));
        std::fs::write(&certificate_file, certificate.pem())?;
        std::fs::write(&key_file, key.serialize_pem())?;
        Ok([format!("--ssl-cert={}", certificate_file.display()), format!("--ssl-key={}", key_file.display())])
    }
}
