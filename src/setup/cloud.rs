//! The providers' rules.

use super::request::{Cloud, Request};
use super::{Block, Section, lines};

pub(super) fn blocks(request: &Request) -> Vec<Block> {
    request.clouds.iter().map(|cloud| block(*cloud, request)).collect()
}

fn block(cloud: Cloud, request: &Request) -> Block {
    match cloud {
        Cloud::Aws => Block::new("cloud-aws", Section::Cloud, "AWS (security group)", "sh", &lines(&aws(request))).note(
            "The public address is the instance's Elastic IP. A network ACL of the subnet needs the same ports inwards, and \
             1024-65535 outwards. A load balancer needs a listener for every port.",
        ),
        Cloud::Azure => {
            Block::new("cloud-azure", Section::Cloud, "Azure (network security group)", "sh", &lines(&azure(request)))
                .note(
                    "The public address is not on the machine itself, hence the server has to be told. Behind a load balancer \
                     each port needs an inbound NAT rule to the same port.",
                )
        }
        Cloud::Gcp => Block::new("cloud-gcp", Section::Cloud, "Google Cloud (firewall rule)", "sh", &lines(&gcp(request)))
            .note("The public address is the instance's external IP, which it does not know itself."),
    }
}

fn aws(request: &Request) -> String {
    let mut sources = String::new();
    if request.ipv4() {
        sources += ",IpRanges=[{CidrIp=0.0.0.0/0,Description=ftp}]";
    }
    if request.public_ipv6.is_some() {
        sources += ",Ipv6Ranges=[{CidrIpv6=::/0,Description=ftp}]";
    }
    let (port, range) = (request.port, request.range);
    format!(
        "GROUP=sg-0123456789abcdef0\n\
         aws ec2 authorize-security-group-ingress --group-id \"$GROUP\" --ip-permissions \\\n  \
         'IpProtocol=tcp,FromPort={port},ToPort={port}{sources}' \\\n  \
         'IpProtocol=tcp,FromPort={},ToPort={}{sources}'",
        range.min, range.max
    )
}

fn azure(request: &Request) -> String {
    format!(
        "RESOURCE_GROUP=my-group NSG=my-nsg\n\
         az network nsg rule create -g \"$RESOURCE_GROUP\" --nsg-name \"$NSG\" -n ftp-passive --priority 310 \\\n  \
         --direction Inbound --access Allow --protocol Tcp --source-address-prefixes Internet --source-port-ranges '*' \\\n  \
         --destination-address-prefixes '*' --destination-port-ranges {} {}",
        request.port, request.range
    )
}

/// One rule holds the sources of one family.
fn gcp(request: &Request) -> String {
    let rule = |name: &str, sources: &str| {
        format!(
            "gcloud compute firewall-rules create {name} --network=default --direction=INGRESS --action=ALLOW \\\n  \
             --rules=tcp:{},tcp:{} --source-ranges={sources} --target-tags=ftp-server\n",
            request.port, request.range
        )
    };
    let mut text = String::new();
    if request.ipv4() {
        text += &rule("ftp-passive", "0.0.0.0/0");
    }
    if request.public_ipv6.is_some() {
        text += &rule("ftp-passive-ipv6", "::/0");
    }
    text + "gcloud compute instances add-tags my-instance --tags=ftp-server"
}
