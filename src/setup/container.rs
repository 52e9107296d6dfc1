//! Published ports of containers: each to the same number.

use std::fmt::Write as _;

use super::request::{Container, Request};
use super::{Block, Section, lines};

/// Ports that a Service of Kubernetes is written out with; for more, the host's network is the better way.
const MOST_SERVICE_PORTS: u32 = 32;

pub(super) fn blocks(request: &Request) -> Vec<Block> {
    request.containers.iter().map(|container| block(*container, request)).collect()
}

fn block(container: Container, request: &Request) -> Block {
    let (port, range) = (request.port, request.range);
    match container {
        Container::Docker => {
            let text = format!("docker run -d --name ftp -p {port}:{port} -p {range}:{range} YOUR_IMAGE");
            Block::new("container-docker", Section::Container, "docker", "sh", &lines(&text)).note(
                "The server inside gets the directives above, with the host's public address. Both sides of a colon are the same, \
                 or the number that it announces leads elsewhere. podman takes the same.",
            )
        }
        Container::Compose => {
            let text = format!(
                "services:\n  ftp:\n    image: YOUR_IMAGE\n    ports:\n      - \"{port}:{port}\"\n      - \"{range}:{range}\""
            );
            Block::new("container-compose", Section::Container, "docker compose", "yaml", &lines(&text))
                .into_files(&[("compose.yaml", "all")])
        }
        Container::Kubernetes if range.len() <= MOST_SERVICE_PORTS => {
            Block::new("container-kubernetes", Section::Container, "Kubernetes", "yaml", &lines(&service(request))).note(
                "A Service knows no ranges, so each port is listed. One replica only: a second one would be given the data \
                 connections of the first.",
            )
        }
        Container::Kubernetes => {
            let text = format!(
                "spec:\n  replicas: 1\n  template:\n    spec:\n      hostNetwork: true\n      containers:\n        - name: ftp\n          \
                 image: YOUR_IMAGE\n          ports:\n            - containerPort: {port}"
            );
            Block::new("container-kubernetes", Section::Container, "Kubernetes", "yaml", &lines(&text)).note(format!(
                "A Service knows no ranges, and {} ports are too many to list: the node's own network serves them. The public \
                 address is the node's. (With at most {MOST_SERVICE_PORTS} ports a Service is printed.)",
                range.len()
            ))
        }
    }
}

fn service(request: &Request) -> String {
    let mut text = String::from(
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: ftp\nspec:\n  type: LoadBalancer\n  externalTrafficPolicy: Local\n  \
         sessionAffinity: ClientIP\n  selector:\n    app: ftp\n  ports:\n",
    );
    let _ = writeln!(text, "    - {{ name: control, port: {0}, targetPort: {0} }}", request.port);
    for port in request.range.min..=request.range.max {
        let _ = writeln!(text, "    - {{ name: data-{port}, port: {port}, targetPort: {port} }}");
    }
    text
}
