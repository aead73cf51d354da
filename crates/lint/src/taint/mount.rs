//! What guards routes from elsewhere: routers that are mounted, dependencies of a whole router,
//! functions that run before every request.

use super::call::Call;
use super::engine::Engine;
use super::outcome::{Covers, FoundRoute};
use super::value::FuncKey;
use crate::ir::{Expr, ExprId, Span, Stmt, Target, Tongue};

/// Names of names of names, further than this, go in a circle.
const HOPS: usize = 4;

impl Engine {
    /// The guards of the router that a method is called on: `APIRouter(dependencies=[…])`.
    pub(crate) fn router_guards(&mut self, router: ExprId) -> Vec<String> {
        let unit = self.unit();
        let Some(made) = self.made_by(router) else {
            return vec![];
        };
        let Expr::Call { args, .. } = &unit.module.exprs[made as usize].kind else {
            return vec![];
        };
        let named = args.iter().filter(|one| {
            one.name
                .is_some_and(|name| self.text(name) == "dependencies")
        });
        let values: Vec<ExprId> = named.map(|one| one.value).collect();
        values
            .into_iter()
            .flat_map(|value| self.names_in(value))
            .collect()
    }

    /// Notes what `@app.before_request` and the like put before every route.
    pub(crate) fn register_before(&mut self, decorator: ExprId, key: FuncKey) {
        let unit = self.unit();
        let callee = match &unit.module.exprs[decorator as usize].kind {
            Expr::Call { callee, .. } => *callee,
            _ => decorator,
        };
        let Expr::Field(router, _) = unit.module.exprs[callee as usize].kind else {
            return;
        };
        let is_part = self.made_by(router).is_some_and(|made| {
            let name = match &unit.module.exprs[made as usize].kind {
                Expr::Call { callee, .. } => self.called_name(*callee),
                _ => String::new(),
            };
            name.ends_with("Blueprint") || name.ends_with("Router")
        });
        let function = &unit.module.functions[key.function as usize];
        let covers = match is_part {
            true => Covers::Unit(key.module),
            false => Covers::All,
        };
        self.add_route(FoundRoute {
            method: "USE".into(),
            path: String::new(),
            guards: vec![self.text(function.name)],
            unit: key.module,
            span: function.span,
            at: function.span,
            at_unit: key.module,
            covers,
        });
    }

    /// Notes routers of other files that a call puts into the app, and what stands before them.
    pub(crate) fn register_mount(&mut self, call: &Call, path: &str, guards: &[String]) {
        let mut guards = guards.to_vec();
        if self.tongue() == Tongue::Python
            && let Some(router) = call.receiver_id
        {
            guards.extend(self.router_guards(router));
        }
        for argument in call.given.written {
            if self.text_of(argument.name) == "dependencies" {
                guards.extend(self.names_in(argument.value));
            }
        }
        for argument in call.given.written {
            let Some(file) = self.file_of(argument.value, HOPS) else {
                continue;
            };
            // Middleware comes from other files, too, and brings no routes of its own.
            self.add_route(FoundRoute {
                method: "USE".into(),
                path: path.to_owned(),
                guards: guards.clone(),
                unit: self.module(),
                span: Span::default(),
                at: call.at,
                at_unit: self.module(),
                covers: Covers::Unit(file),
            });
        }
    }

    /// The text of a name, where there is one.
    pub(crate) fn text_of(&self, name: Option<crate::ir::Name>) -> String {
        name.map(|name| self.text(name)).unwrap_or_default()
    }

    /// The call that made what a name of this file holds.
    fn made_by(&mut self, id: ExprId) -> Option<ExprId> {
        let unit = self.unit();
        match &unit.module.exprs[id as usize].kind {
            Expr::Name(name) => self.bound(*name),
            _ => None,
        }
    }

    /// The file that an expression's value is imported from.
    fn file_of(&mut self, id: ExprId, hops: usize) -> Option<u32> {
        let hops = hops.checked_sub(1)?;
        let unit = self.unit();
        match &unit.module.exprs[id as usize].kind {
            Expr::Import { module, member } => {
                let text = self.text(*module);
                let tongue = self.tongue();
                let below = member
                    .filter(|_| tongue == Tongue::Python)
                    .map(|member| format!("{text}.{}", self.text(member)));
                let below = below.and_then(|name| self.linker.resolve(tongue, &unit.path, &name));
                below.or_else(|| self.linker.resolve(tongue, &unit.path, &text))
            }
            Expr::Name(name) => {
                let bound = self.bound(*name)?;
                self.file_of(bound, hops)
            }
            Expr::Field(object, _) => self.file_of(*object, hops),
            Expr::Call { callee, .. } => self.file_of(*callee, hops),
            _ => None,
        }
    }

    /// What a name was bound to: here, or by the file's own statements.
    pub(crate) fn bound(&mut self, name: crate::ir::Name) -> Option<ExprId> {
        let sym = self.sym(name);
        if let Some(known) = self.frame().flow.answers.get(&sym) {
            return Some(*known);
        }
        let unit = self.unit();
        let statements = &unit.module.blocks[unit.module.body as usize];
        statements
            .iter()
            .rev()
            .find_map(|statement| match statement {
                Stmt::Let(target, value) if binds(target, name) => Some(*value),
                _ => None,
            })
    }
}

fn binds(target: &Target, name: crate::ir::Name) -> bool {
    match target {
        Target::Name(bound) => *bound == name,
        Target::Object(fields, _) => fields.iter().any(|(_, inner)| binds(inner, name)),
        _ => false,
    }
}
