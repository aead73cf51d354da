//! A unified diff of edits, as `git apply` and `patch` read it.

use super::edit::Edit;

/// How many lines around a change are shown.
const CONTEXT: usize = 3;

/// Lines that become others. From 0, the last one excluded.
struct Block {
    first: usize,
    last: usize,
    after: String,
}

/// The diff of one file. Lines that are `hidden` (from 1) are shown to nobody: context ends at them,
/// and a change of them is not shown.
pub(super) fn unified(path: &str, text: &str, edits: &[Edit], hidden: &[(u32, u32)]) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let is_hidden = |line: usize| {
        let mut hidden = hidden.iter();
        hidden.any(|(first, last)| (*first as usize..=*last as usize).contains(&(line + 1)))
    };
    let blocks = blocks(text, &lines, edits);
    if blocks
        .iter()
        .any(|block| (block.first..block.last).any(is_hidden))
    {
        return String::new();
    }
    let mut diff = format!("--- a/{path}\n+++ b/{path}\n");
    let mut shift = 0isize;
    for hunk in hunks(&blocks) {
        let (Some(one), Some(end)) = (hunk.first(), hunk.last()) else {
            continue;
        };
        let before = (1..=CONTEXT).take_while(|back| *back <= one.first);
        let before = before
            .take_while(|back| !is_hidden(one.first - back))
            .count();
        let after = (0..CONTEXT).take_while(|on| end.last + on < lines.len());
        let after = after.take_while(|on| !is_hidden(end.last + on)).count();
        let (start, stop) = (one.first - before, end.last + after);
        let mut body = String::new();
        let mut at = start;
        let mut added = 0;
        for block in hunk {
            lines[at..block.first]
                .iter()
                .for_each(|line| push(&mut body, ' ', line));
            lines[block.first..block.last]
                .iter()
                .for_each(|line| push(&mut body, '-', line));
            for line in block.after.split_inclusive('\n') {
                push(&mut body, '+', line);
                added += 1;
            }
            added += block.first - at;
            at = block.last;
        }
        lines[at..stop]
            .iter()
            .for_each(|line| push(&mut body, ' ', line));
        added += stop - at;
        let removed = stop - start;
        let new_start = (start + 1).saturating_add_signed(shift);
        diff.push_str(&format!(
            "@@ -{},{removed} +{new_start},{added} @@\n{body}",
            start + 1
        ));
        shift += added as isize - removed as isize;
    }
    diff
}

fn push(body: &mut String, mark: char, line: &str) {
    body.push(mark);
    body.push_str(line);
    if !line.ends_with('\n') {
        body.push_str("\n\\ No newline at end of file\n");
    }
}

/// Edits of the same lines together.
fn blocks(text: &str, lines: &[&str], edits: &[Edit]) -> Vec<Block> {
    let mut starts = Vec::with_capacity(lines.len());
    let mut at = 0;
    for line in lines {
        starts.push(at);
        at += line.len();
    }
    let line_of = |byte: usize| {
        starts
            .partition_point(|start| *start <= byte)
            .saturating_sub(1)
    };
    let mut blocks: Vec<(usize, usize, Vec<&Edit>)> = Vec::new();
    for edit in edits {
        let (first, last) = (
            line_of(edit.start),
            line_of(edit.end.max(edit.start + 1) - 1) + 1,
        );
        match blocks.last_mut() {
            Some((_, end, of)) if first < *end => {
                *end = last.max(*end);
                of.push(edit);
            }
            _ => blocks.push((first, last, vec![edit])),
        }
    }
    let end_of = |line: usize| starts.get(line).copied().unwrap_or(text.len());
    let made = blocks.into_iter().map(|(first, last, edits)| {
        let mut after = String::new();
        let mut at = end_of(first);
        for edit in edits {
            after.push_str(&text[at..edit.start]);
            after.push_str(&edit.about.to);
            at = edit.end;
        }
        after.push_str(&text[at..end_of(last)]);
        Block { first, last, after }
    });
    made.collect()
}

/// Blocks whose contexts touch together.
fn hunks(blocks: &[Block]) -> Vec<&[Block]> {
    let close = |one: &Block, next: &Block| next.first - one.last <= 2 * CONTEXT;
    blocks.chunk_by(close).collect()
}
