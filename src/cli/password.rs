//! Where the password comes from: never the command line.

use std::io::{BufRead, IsTerminal};
use std::path::Path;

use pasvcheck::ftp::{Argument, Secret};
use pasvcheck::plan::Credentials;
use pasvcheck::standin::SharedSecret;

use super::Problem;
use super::args::LoginArgs;

/// The environment variable that may hold it.
const VARIABLE: &str = "PASVCHECK_PASSWORD";

/// The environment variable that may hold the secret of a stand-in.
const SECRET_VARIABLE: &str = "PASVCHECK_SECRET";

/// Names that stand for "no credentials".
const ANONYMOUS: [&str; 2] = ["anonymous", "ftp"];

/// As whom to log in: `--user`, else the user of the URL, else anonymous.
/// A dry run does not need the password (`wanted` is false).
pub(crate) fn credentials(
    args: &LoginArgs,
    from_url: Option<&Argument>,
    wanted: bool,
) -> Result<Credentials, Problem> {
    let typed = args.user.as_deref().map(Argument::new).transpose();
    let user = typed.map_err(|error| Problem::new(format!("--user cannot be sent: {error}")))?;
    let Some(user) = user.or_else(|| from_url.cloned()) else { return Ok(Credentials::Anonymous) };
    if ANONYMOUS.contains(&user.as_str()) {
        return Ok(Credentials::Anonymous);
    }
    if user.as_str().is_empty() {
        return Err(Problem::new("--user needs a name"));
    }
    let text = if wanted { password(args, &user)? } else { String::new() };
    let password = Secret::new(text);
    let password = password.map_err(|error| Problem::new(format!("the password cannot be sent: {error}")))?;
    Ok(Credentials::Named { user, password })
}

fn password(args: &LoginArgs, user: &Argument) -> Result<String, Problem> {
    if let Some(path) = &args.password_file {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Problem::new(format!("the password file {} cannot be read: {error}", path.display()))
        })?;
        return Ok(first_line(&text));
    }
    if args.password_stdin {
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        read.map_err(|error| Problem::new(format!("no password can be read from standard input: {error}")))?;
        return Ok(first_line(&line));
    }
    if let Ok(password) = std::env::var(VARIABLE) {
        return Ok(password);
    }
    if !std::io::stderr().is_terminal() {
        let ways = format!("set {VARIABLE}, or use --password-file or --password-stdin");
        return Err(Problem::new(format!("no password for {}: {ways}", user.as_str())));
    }
    rpassword::prompt_password(format!("Password for {}: ", user.as_str())).map_err(|error| {
        Problem::new(format!("the password cannot be asked for: {error}; set {VARIABLE} instead"))
    })
}

/// The secret that is shared with a stand-in: from a file, or the environment, or none.
pub(crate) fn stand_in_secret(file: Option<&Path>) -> Result<Option<SharedSecret>, Problem> {
    let (from, text) = match (file, std::env::var(SECRET_VARIABLE)) {
        (Some(path), _) => {
            let name = path.display();
            let text = std::fs::read_to_string(path)
                .map_err(|error| Problem::new(format!("the secret file {name} cannot be read: {error}")))?;
            (format!("the secret file {name}"), text)
        }
        (None, Ok(text)) if !text.trim().is_empty() => (SECRET_VARIABLE.to_owned(), text),
        _ => return Ok(None),
    };
    let secret = SharedSecret::new(&first_line(&text));
    secret.map(Some).map_err(|error| Problem::new(format!("{from}: {error}")))
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
