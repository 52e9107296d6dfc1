//! What the XML grammars share: elements by their local names, and places in the file.

use std::ops::Range;

use roxmltree::{Document, Node, ParsingOptions};

use crate::evidence::{Configuration, Effect, Place, Remark, RemarkKind};

/// Elements of a configuration of ours; a file with more is none.
const MOST_NODES: u32 = 500_000;

/// A parsed file.
pub(super) struct Xml<'a> {
    file: &'a str,
    text: &'a str,
    pub(super) document: Document<'a>,
}

impl<'a> Xml<'a> {
    /// Parses; what is malformed becomes a remark with its place.
    pub(super) fn parse(file: &'a str, text: &'a str, configuration: &mut Configuration) -> Option<Self> {
        let options =
            ParsingOptions { allow_dtd: false, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
        match Document::parse_with_options(text, options) {
            Ok(document) => Some(Self { file, text, document }),
            Err(error) => {
                let at = error.pos();
                let row = usize::try_from(at.row).unwrap_or(1).max(1);
                let line = text.lines().nth(row - 1).unwrap_or_default();
                let skipped = usize::try_from(at.col).unwrap_or(1).saturating_sub(1);
                let start = line.char_indices().nth(skipped).map_or(line.len(), |(at, _)| at);
                configuration.remarks.push(Remark {
                    kind: RemarkKind::File,
                    effect: Effect::Refuses,
                    place: Place::new(file, row, line, start..start),
                    title: "the file is no well-formed XML".to_owned(),
                    says: format!("The parser says: {error}. The server cannot read it either."),
                    corrected: None,
                });
                None
            }
        }
    }

    /// The place of a range of bytes, as far as it lies on one line.
    pub(super) fn place(&self, range: Range<usize>) -> Place {
        let start = range.start.min(self.text.len());
        let before = &self.text[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let row = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let line = self.text[line_start..].lines().next().unwrap_or_default();
        let end = (range.end.max(start) - line_start).min(line.len());
        Place::new(self.file, row, line, start - line_start..end.max(start - line_start))
    }

    /// The place of an element: of the whole if it stands on one line, else of its opening tag.
    pub(super) fn element(&self, node: Node<'_, '_>) -> Place {
        self.place(node.range())
    }

    /// The place of an attribute, or of the element if it has none of that name.
    pub(super) fn attribute(&self, node: Node<'_, '_>, name: &str) -> Place {
        match node.attribute_node(name) {
            Some(attribute) => self.place(attribute.range()),
            None => self.element(node),
        }
    }
}

/// The first child element of that local name; case does not count.
pub(super) fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.is_element() && child.tag_name().name().eq_ignore_ascii_case(name))
}

/// Down a path of local names.
pub(super) fn down<'a, 'input>(node: Node<'a, 'input>, path: &[&str]) -> Option<Node<'a, 'input>> {
    path.iter().try_fold(node, |node, name| child(node, name))
}

/// The text of an element, trimmed; `None` if it is empty.
pub(super) fn text<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    node.text().map(str::trim).filter(|text| !text.is_empty())
}
