//! A table of queries and texts, for each script and for characters with a special meaning elsewhere.

use super::{WAYS, clinic, in_chat, in_organization, say, search_by, texts};
use crate::harness::Engine;
use crate::harness::client::error_code;
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    each_query_finds_its_texts_and_no_others,
    a_query_is_two_to_two_hundred_characters,
    a_hit_shows_the_part_that_matches,
    exact_search_matches_characters_as_written,
);

/// Texts of one chat, all different.
const TEXTS: &[&str] = &[
    "Hello, World!",
    "othello",
    "HELLO again",
    "Guten Tag, die Straße ist gesperrt",
    "STRASSE",
    "Μήνυμα από τον ΟΔΥΣΣΕΥΣ",
    "ο οδυσσεύς και ο λόγος",
    "Ёлки-палки, ПРИВЕТ",
    "İstanbul'da KAPI açık",
    "kapı ve ışık ISPARTA",
    "您好，我的预约是什么时候？",
    "患者さんの名前はタナカです",
    "ﾀﾅｶ ＡＢＣ１２３",
    "مرحبا بالعالم",
    "שלום עולם",
    "नमस्ते दुनिया",
    "안녕하세요 여러분",
    "สวัสดีครับ",
    "Well done 👍🏽 and ❤️",
    "family 👨‍👩‍👧 photo",
    "100% sure_thing * or? [brackets]",
    "it's \"quoted\" \\ back`tick",
    "1000 sure things",
    "SELECT * FROM message; -- AND OR NOT NEAR(a b)",
    "first line\nsecond line\tand a tab",
    "re\u{301}sume\u{301} and na\u{ef}ve",
    "ﬁnd the oﬃce",
    "aaaaaaaa",
    "abababab",
    "ΐ and ŉ and ǰ",
    "Zürich im März",
    "Nguyễn Đặng",
    "Łódź, SMØRREBRØD",
    "xy",
    "𝒳𝓎 𐐀𐐁",
];

/// Queries, and the matched parts of the texts.
const CASES: &[(&str, &[&str])] = &[
    // Any part of a word, whatever the case.
    ("hello", &["Hello, World!", "othello", "HELLO again"]),
    ("HELLO", &["Hello, World!", "othello", "HELLO again"]),
    ("ello,", &["Hello, World!"]),
    ("lo, w", &["Hello, World!"]),
    ("the", &["othello", "ﬁnd the oﬃce"]),
    ("xy", &["xy", "𝒳𝓎 𐐀𐐁"]),
    ("xyz", &[]),
    ("  hello  ", &["Hello, World!", "othello", "HELLO again"]),
    // German: the sharp s is two letters, in either direction.
    ("strasse", &["Guten Tag, die Straße ist gesperrt", "STRASSE"]),
    ("straße", &["Guten Tag, die Straße ist gesperrt", "STRASSE"]),
    ("STRAẞE", &["Guten Tag, die Straße ist gesperrt", "STRASSE"]),
    ("aß", &["Guten Tag, die Straße ist gesperrt", "STRASSE"]),
    // Greek: the final sigma is a sigma.
    ("οδυσσευς", &["Μήνυμα από τον ΟΔΥΣΣΕΥΣ", "ο οδυσσεύς και ο λόγος"]),
    ("ΟΔΥΣΣΕΥΣ", &["Μήνυμα από τον ΟΔΥΣΣΕΥΣ", "ο οδυσσεύς και ο λόγος"]),
    ("οδυσσεύσ", &["Μήνυμα από τον ΟΔΥΣΣΕΥΣ", "ο οδυσσεύς και ο λόγος"]),
    ("ΛΌΓΟΣ", &["ο οδυσσεύς και ο λόγος"]),
    ("ΜΉΝΥΜΑ", &["Μήνυμα από τον ΟΔΥΣΣΕΥΣ"]),
    ("ΐ a", &["ΐ and ŉ and ǰ"]),
    // Cyrillic.
    ("привет", &["Ёлки-палки, ПРИВЕТ"]),
    ("ёЛКИ", &["Ёлки-палки, ПРИВЕТ"]),
    // Turkish: dotted and dotless.
    ("istanbul", &["İstanbul'da KAPI açık"]),
    ("ISTANBUL", &["İstanbul'da KAPI açık"]),
    ("İSTANBUL", &["İstanbul'da KAPI açık"]),
    ("kapı", &["İstanbul'da KAPI açık", "kapı ve ışık ISPARTA"]),
    ("KAPI", &["İstanbul'da KAPI açık", "kapı ve ışık ISPARTA"]),
    ("IŞIK", &["kapı ve ışık ISPARTA"]),
    ("ısparta", &["kapı ve ışık ISPARTA"]),
    // Scripts without spaces between words, and without case.
    ("预约", &["您好，我的预约是什么时候？"]),
    ("好,我", &["您好，我的预约是什么时候？"]),
    ("约预", &[]),
    ("名前", &["患者さんの名前はタナカです"]),
    ("タナカ", &["患者さんの名前はタナカです", "ﾀﾅｶ ＡＢＣ１２３"]),
    ("abc123", &["ﾀﾅｶ ＡＢＣ１２３"]),
    ("حبا", &["مرحبا بالعالم"]),
    ("לום", &["שלום עולם"]),
    ("दुनिया", &["नमस्ते दुनिया"]),
    ("세요", &["안녕하세요 여러분"]),
    ("สดี", &["สวัสดีครับ"]),
    // Emoji, with their colours and joints, and without what is not seen.
    ("👍🏽", &["Well done 👍🏽 and ❤️"]),
    ("d ❤", &["Well done 👍🏽 and ❤️"]),
    ("👨‍👩‍👧", &["family 👨‍👩‍👧 photo"]),
    ("👩👧", &["family 👨‍👩‍👧 photo"]),
    // Plain text, whatever it may mean elsewhere.
    ("%%", &[]),
    ("0%", &["100% sure_thing * or? [brackets]"]),
    ("e_t", &["100% sure_thing * or? [brackets]"]),
    ("sure thing", &["1000 sure things"]),
    ("* o", &["100% sure_thing * or? [brackets]"]),
    ("h*o", &[]),
    ("[b", &["100% sure_thing * or? [brackets]"]),
    ("'s \"q", &["it's \"quoted\" \\ back`tick"]),
    ("\" \\", &["it's \"quoted\" \\ back`tick"]),
    ("--", &["SELECT * FROM message; -- AND OR NOT NEAR(a b)"]),
    ("AND OR", &["SELECT * FROM message; -- AND OR NOT NEAR(a b)"]),
    ("NEAR(a b)", &["SELECT * FROM message; -- AND OR NOT NEAR(a b)"]),
    ("' OR 1=1 --", &[]),
    ("\\%", &[]),
    ("?)", &[]),
    ("$1", &[]),
    // Every white space is one.
    ("line second", &["first line\nsecond line\tand a tab"]),
    ("line\nsecond", &["first line\nsecond line\tand a tab"]),
    ("line and", &["first line\nsecond line\tand a tab"]),
    // However it was composed, and without accents.
    ("RÉSUMÉ", &["re\u{301}sume\u{301} and na\u{ef}ve"]),
    ("nai\u{308}ve", &["re\u{301}sume\u{301} and na\u{ef}ve"]),
    ("resume", &["re\u{301}sume\u{301} and na\u{ef}ve"]),
    ("zurich", &["Zürich im März"]),
    ("ZÜRICH", &["Zürich im März"]),
    ("nguyen", &["Nguyễn Đặng"]),
    ("dang", &["Nguyễn Đặng"]),
    ("lodz", &["Łódź, SMØRREBRØD"]),
    ("smorre", &["Łódź, SMØRREBRØD"]),
    ("елки", &["Ёлки-палки, ПРИВЕТ"]),
    ("find", &["ﬁnd the oﬃce"]),
    ("OFFICE", &["ﬁnd the oﬃce"]),
    ("ŉ", &["ΐ and ŉ and ǰ"]),
    ("Ǆ", &["Łódź, SMØRREBRØD"]),
    // Characters beyond the basic plane, with case.
    ("𐐨𐐩", &["𝒳𝓎 𐐀𐐁"]),
    // The same pair again and again.
    ("aaaa", &["aaaaaaaa"]),
    ("baba", &["abababab"]),
    ("abba", &[]),
];

async fn each_query_finds_its_texts_and_no_others(engine: Engine) {
    let (world, olga, vera, chat) = clinic(engine).await;
    for message in TEXTS {
        say(&vera, &chat, message).await;
    }
    for by in WAYS {
        search_by(&world.app, by);
        for (typed, expected) in CASES {
            let expected: Vec<_> = expected.iter().rev().map(|text| (*text).to_owned()).collect();
            let variables = || json!({ "query": typed });
            let found = in_chat(&olga, &chat, variables()).await;
            assert_eq!(texts(&found), expected, "{typed:?} in the chat by {by:?}");
            assert_eq!(found["totalCount"], expected.len());
            let found = in_organization(&olga, variables()).await;
            assert_eq!(texts(&found), expected, "{typed:?} in the organization by {by:?}");
            assert_eq!(found["totalCount"], expected.len());
        }
    }
    world.app.stop().await;
}

async fn a_query_is_two_to_two_hundred_characters(engine: Engine) {
    let (world, olga, vera, chat) = clinic(engine).await;
    let long = "ä".repeat(200);
    say(&vera, &chat, &format!("before {long} after")).await;
    say(&vera, &chat, &"ä".repeat(199)).await;
    let refused = ["", " ", "a", " a ", "字", "👍", "a\u{0}b", "\u{200b}\u{200b}", &format!("{long}ä")];
    for by in WAYS {
        search_by(&world.app, by);
        for typed in refused {
            let query = "query($id: ID!, $query: String!) { chat(id: $id) { searchMessages(query: $query) {
                totalCount } } }";
            let answer = olga.ask(query, json!({ "id": chat, "query": typed })).await;
            assert_eq!(error_code(&answer), "BAD_USER_INPUT", "{typed:?}");
            let query =
                "query($query: String!) { organization { searchMessages(query: $query) { totalCount } } }";
            let answer = olga.ask(query, json!({ "query": typed })).await;
            assert_eq!(error_code(&answer), "BAD_USER_INPUT", "{typed:?}");
        }
        for typed in [long.clone(), long.to_uppercase()] {
            let found = in_chat(&olga, &chat, json!({ "query": typed })).await;
            assert_eq!(found["totalCount"], 1, "{by:?}");
            let found = in_organization(&olga, json!({ "query": typed })).await;
            assert_eq!(found["totalCount"], 1, "{by:?}");
        }
        // The longest query, of characters that each fold to eighteen.
        let longest = json!({ "query": "\u{fdfa}".repeat(200) });
        assert_eq!(in_chat(&olga, &chat, longest.clone()).await["totalCount"], 0);
        assert_eq!(in_organization(&olga, longest).await["totalCount"], 0);
    }
    world.app.stop().await;
}

async fn a_hit_shows_the_part_that_matches(engine: Engine) {
    let (world, olga, vera, chat) = clinic(engine).await;
    say(&vera, &chat, "Die Straße und die STRASSE").await;
    let found = in_chat(&olga, &chat, json!({ "query": "strasse" })).await;
    let part = |text: &str, is_match: bool| json!({ "text": text, "isMatch": is_match });
    let expected =
        [part("Die ", false), part("Straße", true), part(" und die ", false), part("STRASSE", true)];
    assert_eq!(found["edges"][0]["snippet"], json!(expected));
    let long = format!("{} needle {}", "x".repeat(900), "y".repeat(900));
    say(&vera, &chat, &long).await;
    let found = in_organization(&olga, json!({ "query": "NEEDLE" })).await;
    let snippet = found["edges"][0]["snippet"].as_array().expect("parts").clone();
    let shown: String = snippet.iter().filter_map(|part| part["text"].as_str()).collect();
    assert!(shown.starts_with("…xx") && shown.ends_with("yy…"), "{shown}");
    assert!(long.contains(shown.trim_matches('…')));
    let matches: Vec<&Value> = snippet.iter().filter(|part| part["isMatch"] == true).collect();
    assert_eq!(matches, [&part("needle", true)]);
    world.app.stop().await;
}

async fn exact_search_matches_characters_as_written(engine: Engine) {
    let (world, olga, vera, chat) = clinic(engine).await;
    for message in ["café", "Café", "CAFE", "a cafe", "cafe\u{301}", "100% café_"] {
        say(&vera, &chat, message).await;
    }
    let document = "query($chat: ID!, $query: String!, $match: TextMatch! = FOLDED, $first: Int, $after: String) {
        chat(id: $chat) { hits: searchMessages(query: $query, match: $match, first: $first, after: $after) { ...Hits } }
        organization { hits: searchMessages(query: $query, match: $match, first: $first) { ...Hits } } }
        fragment Hits on MessageSearchConnection { totalCount pageInfo { endCursor hasNextPage }
            edges { snippet { text isMatch } node { text } } }";
    for by in WAYS {
        search_by(&world.app, by);
        for (typed, expected) in [
            ("café", &["100% café_", "café"][..]),
            ("Café", &["Café"]),
            ("CAFE", &["CAFE"]),
            ("cafe", &["cafe\u{301}", "a cafe"]),
            ("CAFÉ", &[]),
            ("fé_", &["100% café_"]),
        ] {
            let variables = json!({ "chat": chat, "query": typed, "match": "EXACT" });
            let found = olga.query(document, variables).await;
            for place in ["chat", "organization"] {
                let hits = &found[place]["hits"];
                assert_eq!(texts(hits), expected, "{typed:?} in the {place} by {by:?}");
                assert_eq!(hits["totalCount"], expected.len());
            }
        }
        let found = olga.query(document, json!({ "chat": chat, "query": "cafe" })).await;
        assert_eq!(found["chat"]["hits"]["totalCount"], 6);
        // Pages of exact hits go on where they ended.
        let variables = json!({ "chat": chat, "query": "café", "match": "EXACT", "first": 1 });
        let first = olga.query(document, variables.clone()).await["chat"]["hits"].clone();
        assert_eq!(
            (texts(&first), &first["pageInfo"]["hasNextPage"]),
            (vec!["100% café_".into()], &json!(true))
        );
        let mut variables = variables;
        variables["after"] = first["pageInfo"]["endCursor"].clone();
        let second = olga.query(document, variables).await["chat"]["hits"].clone();
        assert_eq!(
            (texts(&second), &second["pageInfo"]["hasNextPage"]),
            (vec!["café".into()], &json!(false))
        );
    }
    // Only what was typed is marked.
    say(&vera, &chat, "Rose rosé ROSE").await;
    let found = olga.query(document, json!({ "chat": chat, "query": "rosé", "match": "EXACT" })).await;
    let part = |text: &str, is_match: bool| json!({ "text": text, "isMatch": is_match });
    let expected = [part("Rose ", false), part("rosé", true), part(" ROSE", false)];
    assert_eq!(found["chat"]["hits"]["edges"][0]["snippet"], json!(expected));
    world.app.stop().await;
}
