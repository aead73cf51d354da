//! Tries a policy by hand, and measures it.
//!
//! `policy test DIR`, `policy ask DIR INPUT`, `policy explain DIR INPUT`,
//! `policy rehearse OLD NEW`, `policy samples OUT`, `policy time DIR`. A DIR of `-` is the policy
//! that comes with mayfly.

use std::path::Path;
use std::time::Instant;

use model::policy::Decision;
use policy::samples::{finding, good, samples, vulnerability};
use policy::{Engine, Policies, Sources, defaults, rehearse};
use serde_json::Value;

type Anything = Result<(), Box<dyn std::error::Error>>;

fn main() -> Anything {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["test", folder] => test(folder),
        ["ask", folder, input] => show(&load(folder)?.decide(&read(input)?)),
        ["explain", folder, input] => show(&load(folder)?.explain(&read(input)?)),
        ["rehearse", old, new] => show(&rehearse(&load(old)?, &load(new)?, &samples())),
        ["samples", out] => write(Path::new(out)),
        ["time", folder] => time(&load(folder)?),
        _ => Err("policy test|ask|explain|rehearse|samples|time …".into()),
    }
}

fn load(folder: &str) -> Result<Policies, Box<dyn std::error::Error>> {
    let sources = match folder {
        "-" => defaults(),
        folder => std::fs::read_dir(folder)?
            .map(|entry| {
                let path = entry?.path();
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                Ok((name.into_owned(), std::fs::read_to_string(&path)?))
            })
            .collect::<Result<Sources, std::io::Error>>()?,
    };
    Ok(Policies::load(sources)?)
}

fn read(file: &str) -> Result<Value, Box<dyn std::error::Error>> {
    Ok(serde_json::from_slice(&std::fs::read(file)?)?)
}

fn show(answer: &impl serde::Serialize) -> Anything {
    println!("{}", serde_json::to_string_pretty(answer)?);
    Ok(())
}

fn test(folder: &str) -> Anything {
    let suite = load(folder)?.test()?;
    suite.results.iter().for_each(|one| println!("{one}"));
    suite
        .passed()
        .then_some(())
        .ok_or("not all tests pass".into())
}

/// Writes each sample, and each with less in it, with its answer: for another engine to be asked
/// the same.
fn write(out: &Path) -> Anything {
    let policies = Policies::load(defaults())?;
    let samples = samples().into_iter().map(|sample| sample.input);
    let samples: Vec<Value> = samples.collect();
    let questions = samples.iter().cloned().chain(exempted(&samples));
    let questions = questions.flat_map(|input| {
        let changed: Vec<_> = policy::changes(&input).collect();
        std::iter::once(input).chain(changed)
    });
    let asked: Vec<Value> = questions
        .map(|input| serde_json::json!({"answer": policies.decide(&input), "input": input}))
        .collect();
    std::fs::write(out, serde_json::to_vec(&asked)?)?;
    println!("{} questions", asked.len());
    Ok(())
}

/// The samples whose exemptions are over, at a time at which they held.
fn exempted(samples: &[Value]) -> Vec<Value> {
    let has_some = |sample: &&Value| sample["exemptions"]["total"] != 0;
    let held = samples.iter().filter(has_some).cloned();
    let held = held.map(|mut sample| {
        sample["now"] = sample["exemptions"]["list"][0]["granted_at"].clone();
        sample
    });
    held.collect()
}

fn time(policies: &Policies) -> Anything {
    let mut usual = good();
    let mut harmless = vulnerability();
    harmless.from_base = true;
    usual.vulnerabilities.list = vec![harmless; 60];
    usual.vulnerabilities.total = 60;
    let mut warning = finding();
    warning.blocks = false;
    usual.findings.list = vec![warning; 10];
    usual.findings.total = 10;
    let mut large = good();
    large.findings.list = vec![finding(); 200];
    large.findings.total = 200;
    large.vulnerabilities.list = vec![vulnerability(); 200];
    large.vulnerabilities.total = 200;
    for (name, input) in [
        ("a good app", good()),
        (
            "10 findings and 60 vulnerabilities that do not block",
            usual,
        ),
        ("200 findings and 200 vulnerabilities that block", large),
    ] {
        let input = serde_json::to_value(input)?;
        let by = |engine| move |input: &Value| policies.decide_by(engine, input);
        measure(&format!("{name}, bytecode"), &input, by(Engine::Bytecode));
        measure(
            &format!("{name}, interpreter"),
            &input,
            by(Engine::Interpreter),
        );
        measure(&format!("{name}, decided"), &input, |input| {
            policies.decide(input)
        });
    }
    let began = Instant::now();
    Policies::load(defaults())?;
    println!("loading: {:?}", began.elapsed());
    Ok(())
}

/// The best of many rounds: others use the machine too.
fn measure(name: &str, input: &Value, decide: impl Fn(&Value) -> Decision) {
    let round = |_| {
        let began = Instant::now();
        decide(input);
        began.elapsed()
    };
    let mut rounds: Vec<_> = (0..200).map(round).collect();
    rounds.sort();
    println!(
        "{name}: best {:?}, median {:?}",
        rounds[0],
        rounds[rounds.len() / 2]
    );
}
