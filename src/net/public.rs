//! This host's public address, as a cloud's metadata service or an echo service tells it. Asked only on the user's word.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, RequestBuilder, redirect};
use rustls_platform_verifier::BuilderVerifierExt;

use crate::evidence::PublicLookup;

/// How long one service may take: metadata services answer at once, or do not exist.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long an echo service may take.
const ECHO_PATIENCE: Duration = Duration::from_secs(5);

/// Most that is read of an answer.
const MOST: usize = 4096;

/// The address at which AWS, Google Cloud and Azure answer their guests.
pub const METADATA: &str = "http://169.254.169.254";

/// Whom to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// The cloud's metadata service, at this base address ([`METADATA`]).
    Metadata(String),
    /// A service that answers with the address from which it was asked.
    Echo(String),
}

/// Asks, and returns what was said.
pub async fn ask(question: &Question) -> PublicLookup {
    match question {
        Question::Metadata(base) => metadata(base).await,
        Question::Echo(url) => echo(url).await,
    }
}

/// Asks the three clouds' services in turn, all at the same address; the first address that is one is taken.
async fn metadata(base: &str) -> PublicLookup {
    let mut lookup = PublicLookup::default();
    let client = match client(PATIENCE, false) {
        Ok(client) => client,
        Err(error) => return failed(error),
    };
    let answers = [
        ("AWS", aws(&client, base).await),
        ("Google Cloud", google(&client, base).await),
        ("Azure", azure(&client, base).await),
    ];
    for (name, answer) in answers {
        match answer {
            Ok(address) => {
                lookup.source = Some(name.to_owned());
                lookup.address = Some(address);
                return lookup;
            }
            Err(why) => lookup.failures.push(format!("{name}: {why}")),
        }
    }
    lookup
}

/// `IMDSv2`: a token first.
async fn aws(client: &Client, base: &str) -> Result<IpAddr, String> {
    let token =
        client.put(format!("{base}/latest/api/token")).header("X-aws-ec2-metadata-token-ttl-seconds", "60");
    let token = text(token).await?;
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("it gave no token".to_owned());
    }
    let address =
        client.get(format!("{base}/latest/meta-data/public-ipv4")).header("X-aws-ec2-metadata-token", token);
    parse(&text(address).await?)
}

async fn google(client: &Client, base: &str) -> Result<IpAddr, String> {
    let path = "/computeMetadata/v1/instance/network-interfaces/0/access-configs/0/external-ip";
    parse(&text(client.get(format!("{base}{path}")).header("Metadata-Flavor", "Google")).await?)
}

/// Addresses of the standard kind are told by the load balancer's part alone.
async fn azure(client: &Client, base: &str) -> Result<IpAddr, String> {
    let path = "/metadata/instance/network/interface/0/ipv4/ipAddress/0/publicIpAddress?api-version=2021-02-01&format=text";
    let answer = text(client.get(format!("{base}{path}")).header("Metadata", "true")).await?;
    if let Ok(address) = parse(&answer) {
        return Ok(address);
    }
    let path = "/metadata/loadbalancer?api-version=2020-10-01";
    let answer = text(client.get(format!("{base}{path}")).header("Metadata", "true")).await?;
    let value: serde_json::Value = serde_json::from_str(&answer).map_err(|_| "no JSON".to_owned())?;
    let address = value["loadbalancer"]["publicIpAddresses"][0]["frontendIpAddress"].as_str();
    parse(address.unwrap_or_default())
}

async fn echo(url: &str) -> PublicLookup {
    let client = match client(ECHO_PATIENCE, true) {
        Ok(client) => client,
        Err(error) => return failed(error),
    };
    let answer = text(client.get(url)).await.and_then(|text| parse(&text));
    match answer {
        Ok(address) => {
            PublicLookup { source: Some(url.to_owned()), address: Some(address), failures: Vec::new() }
        }
        Err(why) => failed(format!("{url}: {why}")),
    }
}

fn failed(why: String) -> PublicLookup {
    PublicLookup { source: None, address: None, failures: vec![why] }
}

/// A client that follows nobody elsewhere. A metadata service is never asked through a proxy, which would answer for
/// another host.
fn client(patience: Duration, proxy: bool) -> Result<Client, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(|error| format!("TLS cannot be set up: {error}"))?
        .with_no_client_auth();
    let builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(redirect::Policy::none())
        .connect_timeout(patience)
        .timeout(patience)
        .user_agent(concat!("pasvcheck/", env!("CARGO_PKG_VERSION")));
    let builder = if proxy { builder } else { builder.no_proxy() };
    builder.build().map_err(|error| format!("no HTTP client: {error}"))
}

/// A small body of a successful answer.
async fn text(request: RequestBuilder) -> Result<String, String> {
    let mut response = request
        .send()
        .await
        .map_err(|error| if error.is_timeout() { "no answer".to_owned() } else { innermost(&error) })?;
    if !response.status().is_success() {
        return Err(format!("HTTP {}", response.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| error.without_url().to_string())? {
        body.extend_from_slice(&chunk);
        if body.len() > MOST {
            return Err("its answer is too long for an address".to_owned());
        }
    }
    Ok(String::from_utf8_lossy(&body).trim().to_owned())
}

/// What the system said, below the words of the library.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// An IPv4 address and nothing else: it goes into recipes.
fn parse(text: &str) -> Result<IpAddr, String> {
    let shown: String = text.chars().take(40).collect();
    text.parse::<Ipv4Addr>().map(IpAddr::V4).map_err(|_| format!("\"{shown}\" is no IPv4 address"))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// A service on loopback that answers each path as told, and says what it was asked.
    async fn service(
        answers: &'static [(&'static str, &'static str)],
        asked: usize,
    ) -> (String, tokio::task::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move {
            let mut requests = Vec::new();
            while requests.len() < asked {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut buffer = vec![0; 4096];
                let count = stream.read(&mut buffer).await.unwrap();
                let request = String::from_utf8_lossy(&buffer[..count]).to_lowercase();
                let line = request.lines().next().unwrap_or_default().to_owned();
                let body = answers.iter().find(|(path, _)| line.contains(path)).map(|(_, body)| *body);
                let answer = match body {
                    Some(body) => format!(
                        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                        body.len()
                    ),
                    None => {
                        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned()
                    }
                };
                stream.write_all(answer.as_bytes()).await.unwrap();
                requests.push(request);
            }
            requests
        });
        (base, task)
    }

    #[tokio::test]
    async fn aws_wants_a_token_first() {
        let (base, task) = service(
            &[("/latest/api/token", "TOKEN"), ("public-ipv4", "203.0.113.10"), ("external-ip", "x")],
            5,
        )
        .await;
        let lookup = ask(&Question::Metadata(base)).await;
        assert_eq!(
            (lookup.source.as_deref(), lookup.address),
            (Some("AWS"), Some("203.0.113.10".parse().unwrap()))
        );
        task.abort();
    }

    #[tokio::test]
    async fn the_balancer_tells_what_azure_leaves_empty() {
        let balancer = r#"{"loadbalancer": {"publicIpAddresses": [{"frontendIpAddress": "203.0.113.20"}]}}"#;
        let answers: &'static [(&str, &str)] =
            Box::leak(Box::new([("publicipaddress?", ""), ("/metadata/loadbalancer", balancer)]));
        let (base, task) = service(answers, 4).await;
        let lookup = ask(&Question::Metadata(base)).await;
        assert_eq!(
            (lookup.source.as_deref(), lookup.address),
            (Some("Azure"), Some("203.0.113.20".parse().unwrap()))
        );
        let requests = task.await.unwrap();
        assert!(requests.iter().any(|request| request.contains("metadata-flavor: google")));
        assert!(requests[2].contains("metadata: true"), "{requests:?}");
    }

    #[tokio::test]
    async fn an_echo_service_tells_an_address_or_nothing() {
        let (base, task) = service(&[("/ip", "203.0.113.10\n"), ("/html", "<b>203.0.113.10</b>")], 3).await;
        let at = |path: &str| Question::Echo(format!("{base}{path}"));
        assert_eq!(ask(&at("/ip")).await.address, Some("203.0.113.10".parse().unwrap()));
        assert!(ask(&at("/html")).await.failures[0].contains("is no IPv4 address"));
        assert!(ask(&at("/gone")).await.failures[0].contains("HTTP 404"));
        task.await.unwrap();
    }
}
