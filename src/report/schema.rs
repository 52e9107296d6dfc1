//! The JSON Schema of the report, as `pasvcheck schema` prints it.
//!
//! It is generated from the types by a test and committed, so that a change of the contract shows in the review.

/// JSON Schema, draft 2020-12.
pub const SCHEMA: &str = include_str!("../../schema/report-1.json");

#[cfg(test)]
mod tests {
    use crate::report::{Report, json, tests};

    fn path() -> std::path::PathBuf {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/report-1.json")
    }

    /// The schema of the types, readers' view: what may be left out is not required.
    fn generated() -> String {
        let mut schema = schemars::schema_for!(Report);
        schema.insert("title".to_owned(), "A report of pasvcheck".into());
        serde_json::to_string_pretty(&schema).unwrap() + "\n"
    }

    #[test]
    fn the_committed_schema_is_that_of_the_types() {
        let generated = generated();
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(path(), &generated).unwrap();
        }
        let committed = std::fs::read_to_string(path()).unwrap();
        let differs = generated.lines().zip(committed.lines()).find(|(new, old)| new != old);
        assert!(
            generated == committed,
            "the report's shape has changed (BLESS=1 to write schema/report-1.json anew, then review it as a contract): {differs:?}"
        );
    }

    fn complaints(value: &serde_json::Value) -> Vec<String> {
        let schema: serde_json::Value = serde_json::from_str(&generated()).unwrap();
        let validator = jsonschema::draft202012::new(&schema).expect("a schema");
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
    }

    #[test]
    fn the_schema_is_one() {
        let schema: serde_json::Value = serde_json::from_str(&generated()).unwrap();
        assert!(jsonschema::draft202012::meta::is_valid(&schema));
    }

    #[test]
    fn every_saved_report_fits_the_schema() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reports");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut fitted = 0;
        for file in files.filter(|file| file.extension().is_some_and(|end| end == "json")) {
            let text = std::fs::read_to_string(&file).unwrap();
            // As it was saved by an earlier version, and as it is written now.
            for value in [
                serde_json::from_str(&text).unwrap(),
                serde_json::to_value(json::read(&text).unwrap().again()).unwrap(),
            ] {
                assert_eq!(complaints(&value), Vec::<String>::new(), "{}", file.display());
            }
            fitted += 1;
        }
        assert!(fitted > 5, "{fitted}");
    }

    #[test]
    fn what_is_no_report_does_not_fit() {
        let mut value = serde_json::to_value(tests::saved("broken")).unwrap();
        value["verdict"] = "fine".into();
        assert_eq!(complaints(&value).len(), 1);
        let mut value = serde_json::to_value(tests::saved("broken")).unwrap();
        value.as_object_mut().unwrap().remove("summary");
        assert!(!complaints(&value).is_empty());
        value["endpoints"][0]["address"] = 7.into();
        assert!(complaints(&value).len() > 1);
    }
}
