//! Fills the arenas of a [`Module`].

use std::collections::HashMap;

use super::{
    BlockId, Class, ClassId, DEPTH, Expr, ExprId, Function, FunctionId, Module, Name, Node, Span,
    Stmt, Target, Tongue,
};

/// A module on its way.
pub(crate) struct Builder {
    module: Module,
    index: HashMap<String, Name>,
    depth: usize,
}

impl Builder {
    /// An empty module.
    pub(crate) fn new(tongue: Tongue) -> Self {
        let module = Module {
            tongue,
            names: vec![],
            exprs: vec![],
            blocks: vec![],
            functions: vec![],
            classes: vec![],
            body: 0,
            exports: vec![],
            is_cut: false,
        };
        let index = HashMap::new();
        Self {
            module,
            index,
            depth: 0,
        }
    }

    /// The module, with `body` as its statements.
    pub(crate) fn finish(mut self, body: Vec<Stmt>) -> Module {
        self.module.body = self.block(body);
        self.module
    }

    /// The number of a name or text.
    pub(crate) fn name(&mut self, text: &str) -> Name {
        if let Some(name) = self.index.get(text) {
            return *name;
        }
        let name = self.module.names.len() as Name;
        self.module.names.push(text.to_owned());
        self.index.insert(text.to_owned(), name);
        name
    }

    /// The text of a name.
    pub(crate) fn text(&self, name: Name) -> &str {
        &self.module.names[name as usize]
    }

    /// Adds an expression.
    pub(crate) fn expr(&mut self, kind: Expr, span: Span) -> ExprId {
        self.module.exprs.push(Node { kind, span });
        (self.module.exprs.len() - 1) as ExprId
    }

    /// What an expression is.
    pub(crate) fn kind(&self, id: ExprId) -> &Expr {
        &self.module.exprs[id as usize].kind
    }

    /// Adds a variable.
    pub(crate) fn variable(&mut self, text: &str, span: Span) -> ExprId {
        let name = self.name(text);
        self.expr(Expr::Name(name), span)
    }

    /// Adds statements.
    pub(crate) fn block(&mut self, statements: Vec<Stmt>) -> BlockId {
        self.module.blocks.push(statements);
        (self.module.blocks.len() - 1) as BlockId
    }

    /// Adds a function.
    pub(crate) fn function(&mut self, function: Function) -> FunctionId {
        self.module.functions.push(function);
        (self.module.functions.len() - 1) as FunctionId
    }

    /// Adds a class, whose parts may follow by [`Builder::fill_class`].
    pub(crate) fn class(&mut self, class: Class) -> ClassId {
        self.module.classes.push(class);
        (self.module.classes.len() - 1) as ClassId
    }

    /// The parts of a class that was added.
    pub(crate) fn fill_class(&mut self, id: ClassId) -> &mut Class {
        &mut self.module.classes[id as usize]
    }

    /// Notes that `local` can be imported as `exported`.
    pub(crate) fn export(&mut self, exported: &str, local: &str) {
        let pair = (self.name(exported), self.name(local));
        self.module.exports.push(pair);
    }

    /// A declaration of a variable.
    pub(crate) fn declare(&mut self, name: &str, value: ExprId) -> Stmt {
        Stmt::Let(Target::Name(self.name(name)), value)
    }

    /// Goes one level deeper; false, and nothing done, where that is too deep.
    pub(crate) fn enter(&mut self) -> bool {
        if self.depth >= DEPTH {
            self.module.is_cut = true;
            return false;
        }
        self.depth += 1;
        true
    }

    /// Comes back from [`Builder::enter`].
    pub(crate) fn leave(&mut self) {
        self.depth -= 1;
    }
}
