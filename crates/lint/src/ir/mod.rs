//! The small form that both languages are lowered to, and that taint is decided on.
//!
//! Trees lie in arenas and are named by index; names are numbers into a table. So a file's form is
//! compact, can be kept by the file's digest, and is never walked deeper than [`DEPTH`].

mod build;

pub(crate) use build::Builder;

use serde::{Deserialize, Serialize};

/// How deep a lowered tree may be: what analyses it recurses.
pub(crate) const DEPTH: usize = 160;

/// An index into [`Module::names`].
pub(crate) type Name = u32;
/// An index into [`Module::exprs`].
pub(crate) type ExprId = u32;
/// An index into [`Module::blocks`].
pub(crate) type BlockId = u32;
/// An index into [`Module::functions`].
pub(crate) type FunctionId = u32;
/// An index into [`Module::classes`].
pub(crate) type ClassId = u32;

/// Byte offsets into the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub(crate) struct Span {
    /// Of the first byte.
    pub(crate) start: u32,
    /// Behind the last byte.
    pub(crate) end: u32,
}

/// The language a form was lowered from, where the rules differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Tongue {
    /// Python.
    Python,
    /// JavaScript and TypeScript.
    JavaScript,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Module {
    /// What it was written in.
    pub(crate) tongue: Tongue,
    /// Identifiers and texts.
    pub(crate) names: Vec<String>,
    /// Expressions.
    pub(crate) exprs: Vec<Node>,
    /// Lists of statements.
    pub(crate) blocks: Vec<Vec<Stmt>>,
    /// Functions, methods, lambdas.
    pub(crate) functions: Vec<Function>,
    /// Classes.
    pub(crate) classes: Vec<Class>,
    /// The file's statements.
    pub(crate) body: BlockId,
    /// Exported name → local name (JavaScript).
    pub(crate) exports: Vec<(Name, Name)>,
    /// Whether something was too deep to be lowered.
    pub(crate) is_cut: bool,
}

/// An expression and its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Node {
    /// What it is.
    pub(crate) kind: Expr,
    /// Where it is.
    pub(crate) span: Span,
}

/// An argument of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Argument {
    /// Of a keyword argument.
    pub(crate) name: Option<Name>,
    /// Its value.
    pub(crate) value: ExprId,
    /// Whether it is spread (`*args`, `...args`).
    pub(crate) is_spread: bool,
}

/// One entry of an object or dict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// A constant key; `None` for a computed key or a spread object.
    pub(crate) key: Option<Name>,
    /// A computed key.
    pub(crate) computed: Option<ExprId>,
    /// Its value.
    pub(crate) value: ExprId,
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Comparison {
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
pub(crate) enum Expr {
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
pub(crate) enum Target {
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
pub(crate) enum Stmt {
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
pub(crate) struct Param {
    /// Its name, where it has one.
    pub(crate) name: Option<Name>,
    /// What it binds.
    pub(crate) target: Target,
    /// Its type, as written.
    pub(crate) annotation: Option<Name>,
    /// Its default.
    pub(crate) default: Option<ExprId>,
    /// Whether it takes all that is left.
    pub(crate) is_rest: bool,
}

/// A function, method or lambda.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Function {
    /// Empty for lambdas.
    pub(crate) name: Name,
    /// Without `self`.
    pub(crate) params: Vec<Param>,
    /// Its statements.
    pub(crate) body: BlockId,
    /// Decorators, as expressions.
    pub(crate) decorators: Vec<ExprId>,
    /// The class whose method it is.
    pub(crate) class: Option<ClassId>,
    /// All of it.
    pub(crate) span: Span,
}

/// A class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Class {
    /// Its name.
    pub(crate) name: Name,
    /// What it extends.
    pub(crate) bases: Vec<ExprId>,
    /// Its methods.
    pub(crate) methods: Vec<(Name, FunctionId)>,
    /// Fields with their value or annotation.
    pub(crate) fields: Vec<(Name, Option<ExprId>, Option<Name>)>,
}
