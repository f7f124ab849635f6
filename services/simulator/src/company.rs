//! What the company is like: where it sells, what, through whom, and what it asks. All of it is made up.

/// A country, and what goes with it.
#[derive(Clone, Copy, Debug)]
pub struct Market {
    /// Two letters.
    pub country: &'static str,
    /// What customers speak there, by weight.
    pub languages: &'static [(i64, &'static str)],
    /// What they pay with.
    pub currency: &'static str,
}

const fn market(country: &'static str, languages: &'static [(i64, &'static str)], currency: &'static str) -> Market {
    Market { country, languages, currency }
}

/// Where customers are, by weight.
pub const MARKETS: [(i64, Market); 7] = [
    (28, market("DE", &[(1, "de")], "EUR")),
    (18, market("FR", &[(1, "fr")], "EUR")),
    (16, market("GB", &[(1, "en")], "GBP")),
    (12, market("ES", &[(1, "es")], "EUR")),
    (12, market("RO", &[(1, "ro")], "EUR")),
    (8, market("PT", &[(1, "pt")], "EUR")),
    (6, market("MD", &[(3, "ro"), (2, "ru")], "EUR")),
];

/// Regions of the customers: a dimension of every survey.
pub const REGIONS: [&str; 4] = ["north", "east", "south", "west"];

/// Segments, which overlap; customers who bought for much enter one more.
pub const SEGMENTS: [&str; 3] = ["families", "professionals", "students"];
/// The segment of those who bought for much.
pub const HIGH_VALUE: &str = "high_value";

/// Tiers of members: from how many sales on.
pub const TIERS: [(usize, &str); 3] = [(0, "basic"), (8, "silver"), (18, "gold")];

/// What is sold: category by weight, with the range of list prices in cents.
pub const CATEGORIES: [(i64, (&str, i64, i64)); 6] = [
    (26, ("kitchen", 900, 12_900)),
    (22, ("garden", 700, 8_900)),
    (18, ("lighting", 1_200, 15_900)),
    (14, ("textiles", 800, 6_900)),
    (12, ("furniture", 6_900, 49_900)),
    (8, ("toys", 500, 4_900)),
];
/// How many products a category has.
pub const PRODUCTS: i64 = 20;

/// Where customers buy, by weight.
pub const SHOPS: [(i64, &str); 3] = [(60, "web"), (25, "app"), (15, "shop")];
/// How customers turn to the company, by weight.
pub const DESKS: [(i64, &str); 4] = [(35, "phone"), (30, "email"), (25, "chat"), (10, "social")];
/// How surveys are put, by weight.
pub const ASKED: [(i64, &str); 3] = [(60, "email"), (25, "web"), (15, "app")];

/// What complaints are about besides late deliveries, with the team that deals with it, by weight.
pub const TROUBLES: [(i64, (&str, &str)); 4] = [
    (35, ("damaged goods", "quality")),
    (25, ("wrong item", "logistics")),
    (25, ("billing", "accounts")),
    (15, ("website", "frontline")),
];
/// Complaints about late deliveries, and their team.
pub const LATE: (&str, &str) = ("late delivery", "logistics");
/// How many employees a team has.
pub const EMPLOYEES: i64 = 6;

/// Plans of the subscription, with cents a month.
pub const PLANS: [(&str, i64); 2] = [("plus", 990), ("plus-family", 1_490)];

/// What is spent in a month to win customers, in cents for each customer of the two years, by channel.
pub const ADVERTISING: [(&str, i64); 2] = [("web", 90), ("social", 60)];
/// What the loyalty programme takes in a month beside points and vouchers, in cents for each of them.
pub const PROGRAMME: i64 = 20;
/// What an hour of work on contacts costs, in cents.
pub const HOUR_OF_WORK: i64 = 3_200;
/// What costs are told in.
pub const CURRENCY: &str = "EUR";

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Survey {
    /// The recommend question, about the relation as a whole, four times a year.
    Relationship,
    /// The recommend question, after a delivery.
    Delivery,
    /// Satisfaction, after a complaint was answered.
    Support,
    /// Effort, after a purchase.
    Checkout,
}

impl Survey {
    /// All of them.
    pub const ALL: [Survey; 4] = [Survey::Relationship, Survey::Delivery, Survey::Support, Survey::Checkout];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Survey::Relationship => "Relationship",
            Survey::Delivery => "Delivery",
            Survey::Support => "Support",
            Survey::Checkout => "Checkout",
        }
    }

    /// Its lowest and highest score.
    pub fn scale(self) -> (i64, i64) {
        match self {
            Survey::Relationship | Survey::Delivery => (0, 10),
            Survey::Support => (1, 5),
            Survey::Checkout => (1, 7),
        }
    }

    /// What it is about: touchpoint and stage of the journey.
    pub fn about(self) -> (&'static str, &'static str) {
        match self {
            Survey::Relationship => ("", ""),
            Survey::Delivery => ("parcel", "delivery"),
            Survey::Support => ("service desk", "support"),
            Survey::Checkout => ("checkout", "purchase"),
        }
    }
}

/// What customers write in a language: content, so-so, and unhappy ones.
pub fn phrases(language: &str) -> [[&'static str; 2]; 3] {
    match language {
        "de" => [
            ["Alles bestens, gerne wieder.", "Schnell und freundlich."],
            ["Im Großen und Ganzen in Ordnung.", "Ganz gut, nur etwas teuer."],
            ["Die Lieferung kam viel zu spät.", "Niemand hat mir geantwortet."],
        ],
        "fr" => [
            ["Très satisfait, je recommande.", "Rapide et aimable."],
            ["Correct dans l'ensemble.", "Bien, mais un peu cher."],
            ["La livraison est arrivée trop tard.", "Personne ne m'a répondu."],
        ],
        "es" => [
            ["Todo perfecto, repetiré.", "Rápido y amable."],
            ["Correcto en general.", "Bien, aunque algo caro."],
            ["El pedido llegó demasiado tarde.", "Nadie me contestó."],
        ],
        "pt" => [
            ["Tudo ótimo, volto a comprar.", "Rápido e simpático."],
            ["No geral, correto.", "Bom, mas um pouco caro."],
            ["A encomenda chegou muito tarde.", "Ninguém me respondeu."],
        ],
        "ro" => [
            ["Totul a fost perfect.", "Rapid și amabil."],
            ["În general este bine.", "Bun, dar cam scump."],
            ["Livrarea a venit prea târziu.", "Nu mi-a răspuns nimeni."],
        ],
        "ru" => [
            ["Всё отлично, закажу ещё.", "Быстро и вежливо."],
            ["В целом нормально.", "Хорошо, но дороговато."],
            ["Доставка пришла слишком поздно.", "Мне никто не ответил."],
        ],
        _ => [
            ["All fine, I will come back.", "Quick and friendly."],
            ["Fine on the whole.", "Good, but a little expensive."],
            ["The delivery came far too late.", "Nobody answered me."],
        ],
    }
}
