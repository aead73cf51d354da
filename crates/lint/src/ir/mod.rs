//! The small form that both languages are lowered to, and that taint is decided on.
//!
//! Trees lie in arenas and are named by index; names are numbers into a table. So a file's form is
//! compact, can be kept by the file's digest, and is never walked deeper than [`DEPTH`].

mod build;

pub use build::Builder;

use serde::{Deserialize, Serialize};

/// How deep a lowered tree may be: what analyses it recurses.
pub const DEPTH: usize = 160;

/// An index into [`Module::names`].
pub type Name = u32;
/// An index into [`Module::exprs`].
pub type ExprId = u32;
/// An index into [`Module::blocks`].
pub type BlockId = u32;
/// An index into [`Module::functions`].
pub type FunctionId = u32;
/// An index into [`Module::classes`].
pub type ClassId = u32;

/// Byte offsets into the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Span {
    /// Of the first byte.
    pub start: u32,
    /// Behind the last byte.
    pub end: u32,
}

/// The language a form was lowered from, where the rules differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Tongue {
    /// Python.
    Python,
    /// JavaScript and TypeScript.
    JavaScript,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Module {
    /// What it was written in.
    pub tongue: Tongue,
    /// Identifiers and texts.
    pub names: Vec<String>,
    /// Expressions.
    pub exprs: Vec<Node>,
    /// Lists of statements.
    pub blocks: Vec<Vec<Stmt>>,
    /// Functions, methods, lambdas.
    pub functions: Vec<Function>,
    /// Classes.
    pub classes: Vec<Class>,
    /// The file's statements.
    pub body: BlockId,
    /// Exported name → local name (JavaScript).
    pub exports: Vec<(Name, Name)>,
    /// Whether something was too deep to be lowered.
    pub is_cut: bool,
}

/// An expression and its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// What it is.
    pub kind: Expr,
    /// Where it is.
    pub span: Span,
}

/// An argument of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Argument {
    /// Of a keyword argument.
    pub name: Option<Name>,
    /// Its value.
    pub value: ExprId,
    /// Whether it is spread (`*args`, `...args`).
    pub is_spread: bool,
}

/// One entry of an object or dict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// A constant key; `None` for a computed key or a spread object.
    pub key: Option<Name>,
    /// A computed key.
    pub computed: Option<ExprId>,
    /// Its value.
    pub value: ExprId,
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    /// `==`, `===`, `is`.
    Equal,
    /// `!=`, `!==`, `is not`.
    Unequal,
    /// `in`.
    In,
    /// `not in`.
    NotIn,
    /// `<`, `>` and the like.
    Order,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Expr {
    /// A constant text.
    Text(Name),
    /// A number.
    Number,
    /// `true` or `false`.
    Truth(bool),
    /// `None`, `null`, `undefined`.
    Nothing,
    /// A regular expression's source.
    Pattern(Name),
    /// A variable.
    Name(Name),
    /// The object a method belongs to.
    This,
    /// `object.field`, and `object["field"]`.
    Field(ExprId, Name),
    /// `object[index]`.
    Index(ExprId, ExprId),
    /// A call.
    Call {
        /// What is called.
        callee: ExprId,
        /// With what.
        args: Vec<Argument>,
        /// Whether it is `new`.
        is_new: bool,
    },
    /// Texts put together: `+`, `%`, templates, f-strings.
    Join(Vec<ExprId>),
    /// A calculation whose result is a number or truth.
    Arithmetic(Vec<ExprId>),
    /// One of several: `a or b`, `a ?? b`.
    Either(Vec<ExprId>),
    /// `a and b`.
    Both(ExprId, ExprId),
    /// `test ? yes : no`.
    Choose {
        /// What decides.
        test: ExprId,
        /// When it holds.
        yes: ExprId,
        /// When it does not.
        no: ExprId,
    },
    /// `not a`.
    Not(ExprId),
    /// A comparison.
    Compare(Comparison, ExprId, ExprId),
    /// A list, tuple or set.
    List(Vec<ExprId>),
    /// An object or dict.
    Object(Vec<Entry>),
    /// A function, by its definition.
    Function(FunctionId),
    /// A class, by its definition.
    Class(ClassId),
    /// What an import brings.
    Import {
        /// As written, or resolved where it is relative to a package.
        module: Name,
        /// One name of it; `None` for the module.
        member: Option<Name>,
    },
    /// An assignment to what exists already.
    Assign(Box<Target>, ExprId),
    /// A comprehension.
    Comprehension {
        /// What is bound to the elements of what.
        binds: Vec<(Target, ExprId)>,
        /// Conditions.
        tests: Vec<ExprId>,
        /// What is collected.
        element: ExprId,
    },
    /// An element of JSX.
    Element {
        /// Its tag's name.
        tag: Name,
        /// Its attributes.
        attributes: Vec<(Name, ExprId)>,
        /// What is in it.
        children: Vec<ExprId>,
    },
    /// One after the other; the last is the value.
    Sequence(Vec<ExprId>),
    /// Anything else made of parts.
    Opaque(Vec<ExprId>),
}

/// What is assigned to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Target {
    /// A variable.
    Name(Name),
    /// A field.
    Field(ExprId, Name),
    /// An element.
    Index(ExprId, ExprId),
    /// Elements of a list.
    List(Vec<Target>),
    /// Fields of an object, and what is left.
    Object(Vec<(Name, Target)>, Option<Box<Target>>),
    /// With a default.
    Default(Box<Target>, ExprId),
    /// Nothing that can be followed.
    Ignored,
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Stmt {
    /// Declares in the function's own frame.
    Let(Target, ExprId),
    /// `a += b`.
    Augment(Target, ExprId),
    /// An expression for its effect.
    Do(ExprId),
    /// A branch.
    If {
        /// What decides.
        test: ExprId,
        /// When it holds.
        yes: BlockId,
        /// When it does not.
        no: Option<BlockId>,
    },
    /// A loop.
    Loop {
        /// What is bound to the elements of what.
        bind: Option<(Target, ExprId)>,
        /// What must hold for another round.
        test: Option<ExprId>,
        /// What is repeated.
        body: BlockId,
    },
    /// A try statement.
    Try {
        /// What may fail.
        body: BlockId,
        /// What then runs.
        handlers: Vec<BlockId>,
        /// What runs anyway.
        finally: Option<BlockId>,
    },
    /// Statements in braces, or a case.
    Block(BlockId),
    /// Ends the function.
    Return(Option<ExprId>),
    /// Ends the function with an error.
    Throw(Option<ExprId>),
    /// Ends a round of a loop.
    Leave,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Param {
    /// Its name, where it has one.
    pub name: Option<Name>,
    /// What it binds.
    pub target: Target,
    /// Its type, as written.
    pub annotation: Option<Name>,
    /// Its default.
    pub default: Option<ExprId>,
    /// Whether it takes all that is left.
    pub is_rest: bool,
}

/// A function, method or lambda.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Function {
    /// Empty for lambdas.
    pub name: Name,
    /// Without `self`.
    pub params: Vec<Param>,
    /// Its statements.
    pub body: BlockId,
    /// Decorators, as expressions.
    pub decorators: Vec<ExprId>,
    /// The class whose method it is.
    pub class: Option<ClassId>,
    /// All of it.
    pub span: Span,
}

/// A class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Class {
    /// Its name.
    pub name: Name,
    /// What it extends.
    pub bases: Vec<ExprId>,
    /// Its methods.
    pub methods: Vec<(Name, FunctionId)>,
    /// Fields with their value or annotation.
    pub fields: Vec<(Name, Option<ExprId>, Option<Name>)>,
}
