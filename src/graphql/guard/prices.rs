//! The price of each field: a table that is built from the schema, with a weight for fields that do more than
//! return a column of their row.
//!
//! One unit is a plain field of one node: at most 5 µs of CPU and 1.3 KiB of memory in a release build.

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, FieldDefinition, InputValueDefinition, Type as TypeReference, TypeKind, TypeSystemDefinition,
};
use async_graphql::{Name, Positioned};
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// The prices of this schema.
pub(super) static PRICES: LazyLock<Prices> = LazyLock::new(|| Prices::of(&crate::graphql::sdl()));

/// The number of times that the selection of a field is resolved.
#[derive(Clone, Copy, Debug)]
pub(super) enum Count {
    /// Once.
    One,
    /// Once for each item of a list of usual length. The limits of an answer catch longer lists.
    Items(u64),
    /// Once for each id of the argument `ids`.
    Ids,
    /// Once for each row of a page. Each row has a price of its own, even if nothing of it is selected.
    Page { row: u64 },
    /// `nodes` or `edges` of a connection: once for each row of its page.
    EachOfPage,
    /// Introspection: eight values for one unit, because nothing is loaded and list lengths are estimated
    /// generously.
    Introspection,
}

/// A field of an object or an interface.
#[derive(Debug)]
pub(super) struct Field {
    pub weight: u64,
    pub count: Count,
    /// The arguments of the field.
    pub arguments: HashMap<Name, Place>,
    of_type: String,
}

impl Field {
    /// The type of the result, if it has fields.
    pub(super) fn composite(&self) -> Option<&'static Type> {
        PRICES.named(&self.of_type)
    }
}

/// An object, an interface or a union.
#[derive(Debug)]
pub(super) struct Type {
    pub is_abstract: bool,
    pub fields: HashMap<String, Field>,
}

/// A place for a value: an argument, or a field of an input object.
#[derive(Debug)]
pub(super) struct Place {
    /// Not nullable, with a default. A nullable variable is allowed here.
    pub has_default: bool,
    of_type: String,
}

impl Place {
    /// The fields of the input object that this place takes.
    pub(super) fn fields(&self) -> Option<&'static HashMap<Name, Self>> {
        PRICES.inputs.get(&self.of_type)
    }
}

#[derive(Debug)]
pub(super) struct Prices {
    types: HashMap<String, Type>,
    inputs: HashMap<String, HashMap<Name, Place>>,
    /// Scalars and enums.
    leaves: HashSet<String>,
}

/// The introspection types, which the SDL of a schema omits.
const INTROSPECTION: &str = "
    type __Schema { description: String types: [__Type!]! queryType: __Type! mutationType: __Type
        subscriptionType: __Type directives: [__Directive!]! }
    type __Type { kind: String name: String description: String specifiedByURL: String isOneOf: Boolean
        fields: [__Field!] interfaces: [__Type!] possibleTypes: [__Type!] enumValues: [__EnumValue!]
        inputFields: [__InputValue!] ofType: __Type }
    type __Field { name: String description: String args: [__InputValue!]! type: __Type! isDeprecated: Boolean
        deprecationReason: String }
    type __InputValue { name: String description: String type: __Type! defaultValue: String
        isDeprecated: Boolean deprecationReason: String }
    type __EnumValue { name: String description: String isDeprecated: Boolean deprecationReason: String }
    type __Directive { name: String description: String locations: [String!]! args: [__InputValue!]!
        isRepeatable: Boolean }";

impl Prices {
    /// The type with this name.
    pub(super) fn named(&self, name: &str) -> Option<&Type> {
        self.types.get(name)
    }

    /// Whether a variable can have this type.
    pub(super) fn is_input(&self, reference: &TypeReference) -> bool {
        let (name, _) = named(reference);
        let built_in = ["ID", "Int", "Float", "String", "Boolean"];
        built_in.contains(&name.as_str()) || self.inputs.contains_key(&name) || self.leaves.contains(&name)
    }

    fn of(sdl: &str) -> Self {
        let mut prices = Self { types: HashMap::new(), inputs: HashMap::new(), leaves: HashSet::new() };
        for text in [sdl, INTROSPECTION] {
            // Both are made by this program, and a test parses them.
            let definitions = parse_schema(text).map(|schema| schema.definitions).unwrap_or_default();
            for definition in definitions {
                if let TypeSystemDefinition::Type(definition) = definition {
                    prices.add(definition.node.name.node.as_str(), definition.node.kind);
                }
            }
        }
        let count = |of_list: fn(&Type) -> usize| {
            let all: usize = prices.types.values().map(of_list).sum();
            u64::try_from(all).unwrap_or(u64::MAX)
        };
        let types = count(|_| 1).saturating_add(u64::try_from(prices.inputs.len()).unwrap_or(u64::MAX));
        let fields = count(|of| of.fields.len());
        let arguments = count(|of| of.fields.values().map(|field| field.arguments.len()).sum());
        prices.set("__Schema", "types", Count::Items(types));
        // Types with many fields are also the ones that fields return.
        let fields_of_type = fields.div_ceil(types.max(1)).saturating_mul(2);
        prices.set("__Type", "fields", Count::Items(fields_of_type));
        prices.set("__Field", "args", Count::Items(arguments.div_ceil(fields.max(1))));
        if let Some(query) = prices.types.get_mut("Query") {
            for (name, of_type) in [("__schema", "__Schema"), ("__type", "__Type")] {
                let (arguments, of_type) = (HashMap::new(), of_type.to_owned());
                let field = Field { weight: 1, count: Count::Introspection, arguments, of_type };
                query.fields.insert(name.to_owned(), field);
            }
        }
        prices
    }

    fn set(&mut self, of_type: &str, field: &str, count: Count) {
        if let Some(field) = self.types.get_mut(of_type).and_then(|of_type| of_type.fields.get_mut(field)) {
            field.count = count;
        }
    }

    fn add(&mut self, name: &str, kind: TypeKind) {
        let (is_abstract, fields) = match kind {
            TypeKind::Object(object) => (false, object.fields),
            TypeKind::Interface(interface) => (true, interface.fields),
            TypeKind::Union(_) => (true, Vec::new()),
            TypeKind::InputObject(input) => {
                self.inputs.insert(name.to_owned(), places(input.fields));
                return;
            }
            TypeKind::Scalar | TypeKind::Enum(_) => {
                self.leaves.insert(name.to_owned());
                return;
            }
        };
        let fields =
            fields.into_iter().map(|field| (field.node.name.node.to_string(), price(name, field.node)));
        self.types.insert(name.to_owned(), Type { is_abstract, fields: fields.collect() });
    }
}

fn places(values: Vec<Positioned<InputValueDefinition>>) -> HashMap<Name, Place> {
    let place = |value: Positioned<InputValueDefinition>| {
        let has_default = !value.node.ty.node.nullable && value.node.default_value.is_some();
        let (of_type, _) = named(&value.node.ty.node);
        (value.node.name.node.clone(), Place { has_default, of_type })
    };
    values.into_iter().map(place).collect()
}

/// The named type inside the lists of a type, and whether there are lists.
fn named(reference: &TypeReference) -> (String, bool) {
    match &reference.base {
        BaseType::Named(name) => (name.to_string(), false),
        BaseType::List(inner) => (named(inner).0, true),
    }
}

fn price(on: &str, definition: FieldDefinition) -> Field {
    let name = definition.name.node.as_str();
    let (of_type, is_list) = named(&definition.ty.node);
    let is_page = of_type.ends_with("Connection");
    let count = match (on, name) {
        ("Query", "nodes") => Count::Ids,
        (_, "nodes" | "edges") if on.ends_with("Connection") => Count::EachOfPage,
        // Rows of messages hold texts, and each has a sender.
        _ if of_type.starts_with("Message") && is_page => Count::Page { row: 8 },
        // A session comes with all its participants, a delivery with its body.
        _ if of_type.starts_with("ChatSession") && is_page => Count::Page { row: 25 },
        _ if of_type.starts_with("WebhookDelivery") && is_page => Count::Page { row: 8 },
        _ if is_page => Count::Page { row: 2 },
        _ if is_list => Count::Items(items(on, name)),
        _ => Count::One,
    };
    let weight = weight(on, name, is_page);
    Field { weight, count, arguments: places(definition.arguments), of_type }
}

/// The expected number of items of a list that is not paginated.
fn items(on: &str, name: &str) -> u64 {
    match (on, name) {
        ("Visitor", "attributes") | ("Viewer", "openChatSessions") | ("ShoppingCart", "products") => 10,
        (_, "participants" | "snippet" | "reactions") => 3,
        (_, "attachments" | "revisions") => 2,
        ("__Schema", "directives") => 5,
        (_, _) => 1,
    }
}

/// The price of a field without its selection.
fn weight(on: &str, name: &str, is_page: bool) -> u64 {
    match (on, name) {
        // A few milliseconds each, measured with a million messages.
        (_, "searchMessages") => 600,
        ("Viewer", "unreadCount") | ("Organization", "visitors") => 250,
        // A transaction.
        ("Mutation", _) => 100,
        // All products of a cart: usually a few, at most hundreds.
        ("ShoppingCart", "products" | "totalPrice" | "monthlyTotalPrice") => 40,
        (_, "totalCount") => 20,
        ("Subscription", _) | ("Participation", "unreadCount") => 10,
        _ if is_page => 8,
        // Derived from other rows, or counted.
        ("Room", "waitingChatCount" | "isStaffed") | ("Chat", "title" | "viewerActions") => 5,
        ("WebhookDelivery", "body") => 4,
        // Read from rows of their own.
        ("Message", "receiver" | "replyTo" | "chatSession" | "attachments" | "reactions" | "revisions")
        | (
            _,
            "chat" | "room" | "visitor" | "owner" | "lastMessage" | "openChatSession" | "viewerParticipation",
        )
        | ("ChatSession", "viewerActions") => 3,
        ("Message", "text" | "viewerActions") => 2,
        (_, _) => 1,
    }
}
