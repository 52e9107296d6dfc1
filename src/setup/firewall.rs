//! The host's kernel and firewall, and the router in front of it.

use super::request::{Firewall, Request};
use super::{Block, Section, lines};

/// Control port and range, as each tool writes a set of ports.
fn nft_ports(request: &Request) -> String {
    format!("{{ {}, {} }}", request.port, request.range)
}

fn multiport(request: &Request) -> String {
    format!("{},{}:{}", request.port, request.range.min, request.range.max)
}

/// What the kernel has to know, and `SELinux`.
pub(super) fn host(request: &Request) -> Vec<Block> {
    if request.server.on_windows() {
        return Vec::new();
    }
    let mut blocks = Vec::new();
    if request.ephemeral().is_some() {
        let range = request.range;
        let text = format!(
            "echo 'net.ipv4.ip_local_reserved_ports = {range}' > /etc/sysctl.d/90-ftp-passive.conf\n\
             sysctl -p /etc/sysctl.d/90-ftp-passive.conf"
        );
        let note = "So that no outgoing connection takes a port of the range. It replaces the list that there may be: look first \
                    with sysctl net.ipv4.ip_local_reserved_ports, and join both with a comma. It counts for IPv6 too.";
        let title = "Keep the range out of the kernel's own";
        blocks.push(Block::new("host-reserved-ports", Section::Host, title, "sh", &lines(&text)).note(note));
    }
    let note = "Only where SELinux enforces (getenforce says so): RHEL, Fedora. Without it the daemon may not listen on its range.";
    blocks.push(
        Block::new(
            "host-selinux",
            Section::Host,
            "SELinux",
            "sh",
            &lines("setsebool -P ftpd_use_passive_mode on"),
        )
        .note(note),
    );
    blocks
}

pub(super) fn blocks(request: &Request) -> Vec<Block> {
    request.firewalls.iter().map(|firewall| block(*firewall, request)).collect()
}

fn block(firewall: Firewall, request: &Request) -> Block {
    let (id, title, language, text, note) = match firewall {
        Firewall::Nft => (
            "firewall-nft",
            "nftables",
            "sh",
            format!(
                "nft insert rule inet filter input tcp dport {} ct state new accept",
                nft_quoted(request)
            ),
            "Table and chain are those of Debian's /etc/nftables.conf (nft list ruleset shows yours). Put the rule into that file \
             too, before any drop, or it is gone after a restart.",
        ),
        Firewall::Iptables => (
            "firewall-iptables",
            "iptables",
            "sh",
            iptables(request),
            "To keep it: netfilter-persistent save (Debian, Ubuntu) or service iptables save (RHEL).",
        ),
        Firewall::Ufw => (
            "firewall-ufw",
            "ufw",
            "sh",
            format!(
                "ufw allow {}/tcp\nufw allow {}:{}/tcp",
                request.port, request.range.min, request.range.max
            ),
            "Both address families, and kept.",
        ),
        Firewall::Firewalld => (
            "firewall-firewalld",
            "firewalld",
            "sh",
            format!(
                "firewall-cmd --permanent --add-port={}/tcp --add-port={}/tcp\nfirewall-cmd --reload",
                request.port, request.range
            ),
            "Ports, and not the service ftp: that one adds a helper which reads the dialogue, and is blind under TLS.",
        ),
        Firewall::Windows => (
            "firewall-windows",
            "Windows Defender Firewall",
            "bat",
            format!(
                "netsh advfirewall firewall add rule name=\"FTP control\" dir=in action=allow protocol=TCP localport={}\n\
                 netsh advfirewall firewall add rule name=\"FTP passive {}\" dir=in action=allow protocol=TCP localport={}\n\
                 netsh advfirewall set global StatefulFtp disable",
                request.port, request.range, request.range
            ),
            "In an elevated prompt. The last line switches the reader of FTP dialogues off, which is not needed now and gets in \
             the way of TLS.",
        ),
    };
    Block::new(id, Section::Firewall, title, language, &lines(&text)).note(note)
}

/// A shell would take the braces for its own.
fn nft_quoted(request: &Request) -> String {
    format!("'{}'", nft_ports(request))
}

fn iptables(request: &Request) -> String {
    let rule = format!(
        "-I INPUT -p tcp -m multiport --dports {} -m conntrack --ctstate NEW -j ACCEPT",
        multiport(request)
    );
    let programs = [("iptables", request.ipv4()), ("ip6tables", request.public_ipv6.is_some())];
    let commands =
        programs.iter().filter(|(_, wanted)| *wanted).map(|(program, _)| format!("{program} {rule}"));
    commands.collect::<Vec<_>>().join("\n")
}

/// The router's rules: every port to the same port. IPv6 is routed, not translated.
pub(super) fn nat(request: &Request) -> Vec<Block> {
    let Some(public) = request.public_ipv4 else { return Vec::new() };
    let (private, ports) = (request.private(), nft_quoted(request));
    let mut blocks = Vec::new();
    let text = format!(
        "sysctl -w net.ipv4.ip_forward=1\n\
             nft add table ip ftp_passive\n\
             nft 'add chain ip ftp_passive prerouting {{ type nat hook prerouting priority dstnat; }}'\n\
             nft add rule ip ftp_passive prerouting ip daddr {public} tcp dport {ports} dnat to {private}"
    );
    let note = "On the router. No port stands behind the last address: the numbers must stay as they are, since the server \
                    announces its own. Where the router's chain forward drops by default: nft insert rule inet filter forward \
                    ct status dnat accept";
    blocks.push(
        Block::new("nat-nft", Section::Nat, "A Linux router with nftables", "sh", &lines(&text)).note(note),
    );
    if request.firewalls.contains(&Firewall::Iptables) {
        let text = format!(
            "sysctl -w net.ipv4.ip_forward=1\n\
             iptables -t nat -A PREROUTING -d {public} -p tcp -m multiport --dports {ports} -j DNAT --to-destination {private}\n\
             iptables -I FORWARD -d {private} -p tcp -m multiport --dports {ports} -j ACCEPT",
            ports = multiport(request)
        );
        let note = "On the router; again without a port behind the address.";
        blocks.push(
            Block::new("nat-iptables", Section::Nat, "A Linux router with iptables", "sh", &lines(&text))
                .note(note),
        );
    }
    let text = format!(
        "TCP {} -> {private} port {}\n\
         TCP {} -> {private} the same ports, one to one",
        request.port, request.port, request.range
    );
    let note = "Called port forwarding or virtual server. Switch the FTP helper (ALG, inspection) off: server and rules know the \
                ports. Clients inside that use the public address need hairpin NAT (NAT loopback) on this router.";
    blocks.push(Block::new("nat-any", Section::Nat, "Any other router", "text", &lines(&text)).note(note));
    blocks
}
