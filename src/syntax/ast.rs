//! The one tree of both notations. Spans ([`At`]) and comments ([`Trivia`]) take no part in equality.

use crate::source::At;

/// Comments around a node: whole-line comments before it (without `#`, the text after it kept as written; an empty
/// string with `blank` marks a blank line), and the comment at its line's end.
#[derive(Clone, Debug, Default)]
pub struct Trivia {
    /// Lines before the node.
    pub before: Vec<TriviaLine>,
    /// The comment after it on its last line, without the `#`.
    pub after: Option<String>,
}

/// A line before a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TriviaLine {
    /// One or more blank lines (written as one).
    Blank,
    /// A comment without its `#`, right-trimmed.
    Comment(String),
}

impl PartialEq for Trivia {
    fn eq(&self, _: &Trivia) -> bool {
        true
    }
}
impl Eq for Trivia {}

/// A value with its place and its comments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node<T> {
    /// The value.
    pub it: T,
    /// Its place.
    pub at: At,
    /// Its comments.
    pub trivia: Trivia,
}

impl<T> Node<T> {
    /// A node without comments.
    pub fn new(it: T, at: impl Into<At>) -> Node<T> {
        Node { it, at: at.into(), trivia: Trivia::default() }
    }
}

/// A whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    /// Value maps of file level, in order.
    pub values: Vec<ValuesDecl>,
    /// Maps, in order. A YAML file has at most one.
    pub maps: Vec<Map>,
    /// Comments after the last item (`before` only).
    pub end: Trivia,
}

/// `values NAME { … }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValuesDecl {
    /// Its name.
    pub name: Name,
    /// Its pairs.
    pub pairs: Pairs,
    /// The whole declaration.
    pub at: At,
    /// Comments.
    pub trivia: Trivia,
}

/// A name as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The name without quotes.
    pub text: String,
    /// Its place.
    pub at: At,
}

/// One of a map's two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// The table named first.
    Left,
    /// The table named second.
    Right,
}

impl Side {
    /// The opposite side.
    pub fn other(self) -> Side {
        match self {
            Side::Left => Side::Right,
            Side::Right => Side::Left,
        }
    }
    /// `left` or `right`.
    pub fn word(self) -> &'static str {
        match self {
            Side::Left => "left",
            Side::Right => "right",
        }
    }
}

/// One map. Statements stand in the canonical order of `fmt`; writing one twice is a finding of the parser.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Map {
    /// The display name.
    pub name: Option<Name>,
    /// The base of an overlay.
    pub extends: Option<Name>,
    /// `id`.
    pub id: Option<Node<String>>,
    /// `version`.
    pub version: Option<Node<String>>,
    /// `label LANG 'text'`: language tag and text.
    pub labels: Vec<Node<(String, String)>>,
    /// `tables`.
    pub tables: Option<Node<Tables>>,
    /// `operations SIDE: …`; an empty list is `none`.
    pub operations: Vec<Node<(Side, Vec<Node<Operation>>)>>,
    /// `direct SIDE: …`; an empty list is `none`.
    pub direct: Vec<Node<(Side, Vec<Direct>)>>,
    /// `guard SIDE: …`.
    pub guard: Vec<Node<(Side, GuardMode)>>,
    /// `company LEFT = RIGHT`; the word `each` is a path of that one name.
    pub company: Option<Node<Pairing>>,
    /// `key …`: each pair is a line with pipes and a value map at most.
    pub key: Vec<Line>,
    /// `filter SIDE: …`.
    pub filter: Vec<Node<(Side, Expr)>>,
    /// `on exit SIDE: …`; true = delete.
    pub on_exit: Vec<Node<(Side, bool)>>,
    /// `needs …`.
    pub needs: Option<Node<Vec<Name>>>,
    /// `initial …`; none inside = `none`.
    pub initial: Option<Node<Option<Side>>>,
    /// `conflict …`.
    pub conflict: Option<Node<Conflict>>,
    /// `run …`.
    pub run: Option<Node<RunMode>>,
    /// The lines of `fields`.
    pub fields: Vec<Line>,
    /// Comments of the `fields` block: `before` stands before the word, `after` is not used.
    pub fields_trivia: Trivia,
    /// Comments after the last line in `fields` (`before` only).
    pub fields_end: Trivia,
    /// `test` blocks.
    pub tests: Vec<Test>,
    /// What an overlay changes in its base, in the order of [`Edit::rank`].
    pub edits: Vec<Edit>,
    /// The whole map.
    pub at: At,
    /// Comments before the map.
    pub trivia: Trivia,
    /// Comments after the last statement (`before` only).
    pub end: Trivia,
}

/// `tables LEFT <-> RIGHT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tables {
    /// `store.table` of the left side.
    pub left: TableRef,
    /// Which legs exist.
    pub arrow: Arrow,
    /// `store.table` of the right side.
    pub right: TableRef,
}

/// `store.table`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRef {
    /// The store's name in the project.
    pub store: Name,
    /// The table's name in the store's schema.
    pub table: Name,
}

/// The arrow between the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrow {
    /// `<-`
    ToLeft,
    /// `->`
    ToRight,
    /// `<->`
    Both,
}

/// What an engine or a person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// Insert rows.
    Create,
    /// Change rows.
    Update,
    /// Delete rows.
    Delete,
}

/// One item of `direct`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Direct {
    /// The operation.
    pub operation: Operation,
    /// Columns it is limited to; none = all.
    pub columns: Option<Vec<Path>>,
    /// Its place.
    pub at: At,
}

/// What a guard does with changes that are not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuardMode {
    /// Records them.
    Report,
    /// Refuses them.
    Reject,
}

/// `conflict …`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// That side wins.
    Wins(Side),
    /// Wait for a person.
    Hold,
    /// Per field, else that side.
    MergeElse(Side),
    /// Per field, else wait.
    MergeElseHold,
}

/// `run …`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunMode {
    /// With every change.
    Live,
    /// By command only.
    Manual,
    /// Every so many seconds.
    Every(u64),
}

/// Two operands and a sign: `company`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairing {
    /// Left operand.
    pub left: Expr,
    /// Sign.
    pub sign: Sign,
    /// Right operand.
    pub right: Expr,
}

/// Which way a line or a pair runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flow {
    /// `=`, `><`
    Both,
    /// `>`, `>>`
    ToRight,
    /// `<`, `<<`
    ToLeft,
}

impl Flow {
    /// Whether something runs into `side`.
    pub fn into(self, side: Side) -> bool {
        matches!((self, side), (Flow::Both, _) | (Flow::ToRight, Side::Right) | (Flow::ToLeft, Side::Left))
    }
}

/// A sign as written; whether it was doubled is `fmt`'s to decide and takes no part in equality.
#[derive(Clone, Copy, Debug)]
pub struct Sign {
    /// The direction.
    pub flow: Flow,
    /// Whether the doubled form was written.
    pub doubled: bool,
    /// Its place.
    pub at: At,
}
impl PartialEq for Sign {
    fn eq(&self, other: &Sign) -> bool {
        self.flow == other.flow
    }
}
impl Eq for Sign {}

/// A field line or a key pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Left operand.
    pub left: Expr,
    /// Sign.
    pub sign: Sign,
    /// Right operand.
    pub right: Expr,
    /// `| f(x)` in order.
    pub pipes: Vec<Call>,
    /// The value map.
    pub values: Option<LineValues>,
    /// `default LITERAL`.
    pub default: Option<Literal>,
    /// `on missing …`.
    pub on_missing: Option<OnMissing>,
    /// `once`.
    pub once: bool,
    /// The whole line.
    pub at: At,
    /// Comments.
    pub trivia: Trivia,
}

impl Line {
    /// Whether the line changes values on the way: what the doubled sign says.
    pub fn transforms(&self) -> bool {
        !self.pipes.is_empty()
            || self.values.is_some()
            || self.default.is_some()
            || !matches!(self.left.kind, ExprKind::Path(_))
            || !matches!(self.right.kind, ExprKind::Path(_))
    }
    /// The column or path that the line writes on `side`; none where nothing runs into it, or where it computes there.
    pub fn target(&self, side: Side) -> Option<&Path> {
        match &self.operand(side).kind {
            ExprKind::Path(path) if self.sign.flow.into(side) => Some(path),
            _ => None,
        }
    }
    /// The operand on `side`.
    pub fn operand(&self, side: Side) -> &Expr {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }
}

/// A line's value map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineValues {
    /// Written at the line.
    Inline(Pairs),
    /// `values NAME`.
    Named(Name),
}

/// What to do where a lookup has a value without a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnMissing {
    /// Wait for it.
    Park,
    /// Take null.
    Null,
    /// Fail.
    Error,
}

/// `{ … }` of a value map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs {
    /// In the order written.
    pub pairs: Vec<Node<Pair>>,
    /// From brace to brace.
    pub at: At,
    /// Comments after the last pair (`before` only).
    pub end: Trivia,
}

/// One entry of a value map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pair {
    /// `LEFT sign RIGHT`.
    Of {
        /// The value on the left side.
        left: Literal,
        /// Which way the pair holds.
        sign: Sign,
        /// The value on the right side.
        right: Literal,
    },
    /// `else [sign] …`.
    Else {
        /// For one direction only.
        sign: Option<Sign>,
        /// What an unmapped value becomes.
        action: ElseAction,
    },
}

/// What an unmapped value becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ElseAction {
    /// It goes through as it is.
    Pass,
    /// The record fails.
    Error,
    /// This value.
    Literal(Literal),
}

/// `f(a, b)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The function.
    pub name: Name,
    /// Its arguments.
    pub args: Vec<Expr>,
    /// From name to closing parenthesis.
    pub at: At,
}

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its place.
    pub at: At,
}

/// The kinds of expressions. Parentheses are not kept: writers put them where precedence asks for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExprKind {
    /// A literal.
    Literal(Literal),
    /// A column or lookup path.
    Path(Path),
    /// A function call.
    Call(Call),
    /// `-x`
    Negate(Box<Expr>),
    /// `not x`
    Not(Box<Expr>),
    /// `x op y`
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `x is [not] null`
    IsNull {
        /// x
        of: Box<Expr>,
        /// `not`
        negated: bool,
    },
    /// `x [not] in (…)`
    In {
        /// x
        of: Box<Expr>,
        /// `not`
        negated: bool,
        /// The list.
        items: Vec<Literal>,
    },
    /// `x [not] like 'pattern'` (`%` any run, `_` one character)
    Like {
        /// x
        of: Box<Expr>,
        /// `not`
        negated: bool,
        /// The pattern.
        pattern: Literal,
    },
    /// `case when … then … else … end`
    Case {
        /// Condition and result.
        arms: Vec<(Expr, Expr)>,
        /// `else`
        otherwise: Option<Box<Expr>>,
    },
    /// `exists(T where C)` and the like: parsed, refused until related rows are supported.
    Aggregate {
        /// `exists every count sum min max`
        name: Name,
        /// T
        table: Path,
        /// C
        condition: Box<Expr>,
        /// `: E`
        of: Option<Box<Expr>>,
    },
}

/// Operators of two operands, weakest first in the grammar: or, and, comparisons, sums, products.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum BinaryOp {
    Or,
    And,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Add,
    Sub,
    Mul,
    Div,
}

/// A literal; numbers keep their text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal {
    /// The value.
    pub kind: LiteralKind,
    /// Its place.
    pub at: At,
}

/// The kinds of literals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LiteralKind {
    /// `'text'`, unescaped.
    Text(String),
    /// `[-]digits[.digits]` as written, but for leading zeros.
    Number(String),
    /// `true`, `false`
    Boolean(bool),
    /// `null`
    Null,
}

impl LiteralKind {
    /// A number of these digits, without the leading zeros that say nothing (and that some readers of YAML take for
    /// octal).
    pub fn number(digits: &str) -> LiteralKind {
        let (minus, body) = digits.strip_prefix('-').map_or(("", digits), |b| ("-", b));
        let whole = body.split('.').next().unwrap_or("").len();
        let zeros = body.bytes().take(whole.saturating_sub(1)).take_while(|b| *b == b'0').count();
        LiteralKind::Number(format!("{minus}{}", &body[zeros..]))
    }
}

/// `a.b.c`, `customerid.account(accountnumber).contact(msdyn_contactpersonid)`, `this.x`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Whether it begins with the reserved word `this` (then `steps` holds what follows).
    pub this: bool,
    /// The steps.
    pub steps: Vec<Step>,
    /// Its place.
    pub at: At,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The name: a column, or in a polymorphic step the table.
    pub name: Name,
    /// `(path)` of a polymorphic alternative.
    pub inner: Option<Path>,
}

/// `test "…" { … }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// Its name.
    pub name: Name,
    /// Its steps.
    pub steps: Vec<Node<TestStep>>,
    /// The whole block.
    pub at: At,
    /// Comments.
    pub trivia: Trivia,
    /// Comments after the last step (`before` only).
    pub end: Trivia,
}

/// `given …` or `expect …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestStep {
    /// `given`, else `expect`.
    pub given: bool,
    /// What.
    pub what: TestWhat,
}

/// What is given or expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestWhat {
    /// A row of a side.
    Row(Side, Row),
    /// No row on a side.
    NoRow(Side),
    /// A row of any `store.table`.
    Other(Path, Row),
    /// The record parks.
    Parked,
    /// The record fails.
    Error,
}

/// `{ path = literal, … }`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Its cells.
    pub cells: Vec<Cell>,
    /// From brace to brace.
    pub at: At,
}

/// `path = literal`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The column, or the path that makes a looked-up row.
    pub path: Path,
    /// The value.
    pub value: Literal,
}

/// An overlay's edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// `set LINE [was LINE]`
    Set(Box<Line>, Option<Box<Line>>),
    /// `add LINE`
    Add(Box<Line>),
    /// `add SIDE.COLUMN { … }`
    AddPairs(EditedColumn, Pairs),
    /// `drop SIDE.COLUMN [{ … }]`
    Drop(EditedColumn, Option<Pairs>),
}

/// `SIDE.COLUMN` of an edit, with the edit's comments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditedColumn {
    /// The side.
    pub side: Side,
    /// The column on it.
    pub column: Name,
    /// Comments of the edit.
    pub trivia: Trivia,
}

impl Edit {
    /// The canonical order of edits: `set`, `add`, `drop`; within each as they were written.
    pub fn rank(&self) -> u8 {
        match self {
            Edit::Set(..) => 0,
            Edit::Add(_) | Edit::AddPairs(..) => 1,
            Edit::Drop(..) => 2,
        }
    }
    /// Where its line or column stands.
    pub fn at(&self) -> At {
        match self {
            Edit::Set(line, _) | Edit::Add(line) => line.at,
            Edit::AddPairs(c, _) | Edit::Drop(c, _) => c.column.at,
        }
    }
    /// Its comments.
    pub fn trivia(&self) -> &Trivia {
        match self {
            Edit::Set(line, _) | Edit::Add(line) => &line.trivia,
            Edit::AddPairs(c, _) | Edit::Drop(c, _) => &c.trivia,
        }
    }
    /// Its comments, to change them.
    pub fn trivia_mut(&mut self) -> &mut Trivia {
        match self {
            Edit::Set(line, _) | Edit::Add(line) => &mut line.trivia,
            Edit::AddPairs(c, _) | Edit::Drop(c, _) => &mut c.trivia,
        }
    }
    /// The line that it puts into the map.
    pub fn line(&self) -> Option<&Line> {
        match self {
            Edit::Set(line, _) | Edit::Add(line) => Some(line),
            Edit::AddPairs(..) | Edit::Drop(..) => None,
        }
    }
}
