//! TLS: what of the server's certificate is checked.

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use std::path::Path;
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;

/// How much of a certificate is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checks {
    /// Nothing: nobody who only listens can read along.
    Nothing,
    /// That a trusted authority signed it.
    Authority,
    /// Also that it is for the host's name.
    Name,
}

/// A connector that trusts what the system trusts, or the certificates in a file.
pub(super) fn connector(checks: Checks, root: Option<&Path>) -> Result<MakeRustlsConnect, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let broken = |e: &dyn std::fmt::Display| format!("TLS cannot be set up: {e}");
    let verifier: Arc<dyn ServerCertVerifier> = match checks {
        Checks::Nothing => Arc::new(Lenient { chain: None, provider: provider.clone() }),
        Checks::Authority | Checks::Name => {
            let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(trusted(root)?), provider.clone())
                .build()
                .map_err(|e| broken(&e))?;
            match checks {
                Checks::Name => chain,
                _ => Arc::new(Lenient { chain: Some(chain), provider: provider.clone() }),
            }
        }
    };
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| broken(&e))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn trusted(root: Option<&Path>) -> Result<rustls::RootCertStore, String> {
    let mut trusted = rustls::RootCertStore::empty();
    match root {
        Some(path) => {
            let shown = path.display();
            let all = CertificateDer::pem_file_iter(path)
                .and_then(|all| all.collect::<Result<Vec<_>, _>>())
                .map_err(|e| format!("the certificates of `sslrootcert` (`{shown}`) cannot be read: {e}"))?;
            for one in all {
                trusted.add(one).map_err(|e| format!("`{shown}` holds a certificate that cannot be used: {e}"))?;
            }
        }
        // What of the system's certificates cannot be read is not trusted.
        None => {
            trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if trusted.is_empty() {
        return Err(
            "no certificate to trust was found; name a file with `sslrootcert=…`, or say `sslmode=disable`".into()
        );
    }
    Ok(trusted)
}

/// Leaves the host's name unchecked, and without a chain the certificate too. Signatures of the handshake are checked.
#[derive(Debug)]
struct Lenient {
    chain: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The name is looked at last: all else was found right.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            told => told,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
