//! Asks a policy.

use std::collections::BTreeMap;

use model::Digest;
use model::policy::{DecidingRule, Decision, EntryPoint, Message, NOT_EVALUATED, Verdict, lift};
use regorus::Value as RegoValue;
use regorus::rvm::RegoVM;
use serde_json::Value;

use crate::ast::Definition;
use crate::compile::told;
use crate::load::Policies;

/// How deep a question may nest.
const DEEPEST: usize = 128;

/// What evaluates a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Compiled rules.
    Bytecode,
    /// The rules as they are written.
    Interpreter,
}

/// What is said where a policy cannot be evaluated.
const NEXT: &str = "run `mayfly policy test` over the policy, and mend what it names";

/// Answers by both engines.
///
/// The bytecode takes most errors within a rule for "does not hold", and so does not deny. The
/// interpreter reports them. Two engines that say different things know nothing.
pub(crate) fn decide(policies: &Policies, input: &Value) -> Decision {
    answer(policies, input, |input| {
        let fast = by_bytecode(policies, input.clone())?;
        let careful = by_interpreter(policies, input)?;
        match fast == careful {
            true => Ok(fast),
            false => Err("its two engines give different answers".to_owned()),
        }
    })
}

/// Answers by one engine, to be compared.
pub(crate) fn decide_by(engine: Engine, policies: &Policies, input: &Value) -> Decision {
    answer(policies, input, |input| match engine {
        Engine::Bytecode => by_bytecode(policies, input),
        Engine::Interpreter => by_interpreter(policies, input),
    })
}

type Answers = Vec<(EntryPoint, RegoValue)>;

fn by_bytecode(policies: &Policies, input: RegoValue) -> Result<Answers, String> {
    let mut machine = RegoVM::new();
    machine.load_program(policies.program.clone());
    machine.set_max_instructions(policies.limits.steps);
    machine.set_execution_timer_config(Some(policies.limits.timer()));
    let data = machine.set_data(RegoValue::new_object());
    data.map_err(|error| error.to_string())?;
    machine.set_input(input);
    let answers = policies.entries.iter().map(|(entry, path)| {
        let value = machine.execute_entry_point_by_name(path);
        Ok((*entry, value.map_err(|error| error.to_string())?))
    });
    answers.collect()
}

fn by_interpreter(policies: &Policies, input: RegoValue) -> Result<Answers, String> {
    let mut engine = policies.engine.clone();
    engine.set_input(input);
    let answers = policies.entries.iter().map(|(entry, path)| {
        let value = engine.eval_rule(path.clone());
        Ok((*entry, value.map_err(|error| told(&error))?))
    });
    answers.collect()
}

/// Asks with `evaluate`, and takes the answers apart.
fn answer(
    policies: &Policies,
    input: &Value,
    evaluate: impl FnOnce(RegoValue) -> Result<Answers, String>,
) -> Decision {
    let text = input.to_string();
    let said = check_size(policies, &text)
        .and_then(|()| question(input, 0))
        .and_then(evaluate)
        .and_then(|answers| Said::of(&answers))
        .unwrap_or_else(|why| Said::nothing(&why));
    said.settle(policies, Digest::of(text.as_bytes()))
}

fn check_size(policies: &Policies, text: &str) -> Result<(), String> {
    let (bytes, limit) = (text.len(), policies.limits.input_bytes);
    match bytes > limit {
        true => Err(format!(
            "the input has {bytes} bytes; at most {limit} are read"
        )),
        false => Ok(()),
    }
}

/// The question as the engines take it.
fn question(input: &Value, depth: usize) -> Result<RegoValue, String> {
    if depth > DEEPEST {
        return Err(format!("the input nests deeper than {DEEPEST} levels"));
    }
    Ok(match input {
        Value::Null => RegoValue::Null,
        Value::Bool(truth) => RegoValue::from(*truth),
        Value::String(text) => RegoValue::from(text.as_str()),
        Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(number), ..) => RegoValue::from(number),
            (_, Some(number), _) => RegoValue::from(number),
            (.., number) => RegoValue::from(number.unwrap_or(f64::NAN)),
        },
        Value::Array(items) => {
            let items = items.iter().map(|item| question(item, depth + 1));
            RegoValue::from(items.collect::<Result<Vec<_>, _>>()?)
        }
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| {
                let name = RegoValue::from(name.as_str());
                Ok::<_, String>((name, question(value, depth + 1)?))
            });
            RegoValue::from(fields.collect::<Result<BTreeMap<_, _>, _>>()?)
        }
    })
}

/// What the rules said.
#[derive(Debug, Default)]
struct Said {
    deny: Vec<Message>,
    warn: Vec<Message>,
    exempt: Vec<Message>,
}

impl Said {
    /// What stands for a policy that cannot be evaluated.
    fn nothing(why: &str) -> Self {
        let message = Message {
            next: Some(NEXT.to_owned()),
            ..Message::new(
                NOT_EVALUATED,
                format!("the policy cannot be evaluated: {why}"),
            )
        };
        Self {
            deny: vec![message],
            ..Self::default()
        }
    }

    fn of(answers: &Answers) -> Result<Self, String> {
        let mut said = Self::default();
        for (entry, value) in answers {
            let set = value
                .as_set()
                .map_err(|_| format!("`{}` is no set", entry.as_str()))?;
            let messages = set.iter().map(|element| message(*entry, element));
            let messages = messages.collect::<Result<Vec<_>, _>>()?;
            match entry {
                EntryPoint::Deny => said.deny.extend(messages),
                EntryPoint::Warn => said.warn.extend(messages),
                EntryPoint::Exempt => said.exempt.extend(messages),
            }
        }
        Ok(said)
    }

    fn settle(self, policies: &Policies, input: Digest) -> Decision {
        let rules = self.rules(&policies.definitions);
        let (mut deny, lifted) = lift(self.deny, &self.exempt);
        let mut warn = self.warn;
        warn.extend(lifted);
        let mut exempt = self.exempt;
        for messages in [&mut deny, &mut warn, &mut exempt] {
            messages.sort_by(|a, b| order(a).cmp(&order(b)));
        }
        Decision {
            verdict: match deny.is_empty() {
                true => Verdict::Pass,
                false => Verdict::Fail,
            },
            policy: policies.digest,
            input,
            deny,
            warn,
            exempt,
            rules,
        }
    }

    /// The rules that these messages come from.
    fn rules(&self, definitions: &[Definition]) -> Vec<DecidingRule> {
        let spoke = |one: &&Definition| {
            let messages = match one.entry {
                EntryPoint::Deny => &self.deny,
                EntryPoint::Warn => &self.warn,
                EntryPoint::Exempt => &self.exempt,
            };
            let named = |message: &Message| made_by(message, one, definitions);
            messages.iter().any(named)
        };
        let told = |one: &Definition| DecidingRule {
            entry: one.entry,
            rule: one.rule.clone(),
            file: one.file.clone(),
            line: one.line,
            looks_at: one.looks_at.iter().cloned().collect(),
        };
        definitions.iter().filter(spoke).map(told).collect()
    }
}

/// Whether `definition` can have made the message: it has its name, or computes names and no
/// other one has it.
pub(crate) fn made_by(
    message: &Message,
    definition: &Definition,
    definitions: &[Definition],
) -> bool {
    match &definition.rule {
        Some(rule) => *rule == message.rule,
        None => {
            let has_name = |other: &Definition| {
                other.entry == definition.entry && other.rule.as_ref() == Some(&message.rule)
            };
            message.rule != NOT_EVALUATED && !definitions.iter().any(has_name)
        }
    }
}

fn order(message: &Message) -> (&str, Option<&str>, &str) {
    (&message.rule, message.fingerprint.as_deref(), &message.msg)
}

/// Reads one element of an entry point's set. A plain text is a message of a rule without a name;
/// an exemption must name its rule.
fn message(entry: EntryPoint, element: &RegoValue) -> Result<Message, String> {
    let told = serde_json::to_value(element).map_err(|error| error.to_string())?;
    match (entry, told) {
        (EntryPoint::Deny | EntryPoint::Warn, Value::String(text)) => {
            Ok(Message::new(entry.as_str(), text))
        }
        (_, told) => serde_json::from_value(told).map_err(|error| {
            let entry = entry.as_str();
            format!("an element of `{entry}` is no message with `rule` and `msg`: {error}")
        }),
    }
}
