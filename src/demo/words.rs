//! The texts of the demo: people, languages and topics.

use crate::actions::SendMessage;
use crate::domain::attachment::Attached;
use entity::{ChatId, MessageType};

/// The speaker of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// The visitor.
    They,
    /// A user of the clinic.
    We,
}
use Who::{They, We};

/// A visitor: external id, display name if given, language.
pub(super) type Person = (&'static str, Option<&'static str>, &'static str);

/// The visitors. The first is the one whose token is printed.
pub(super) const VISITORS: [Person; 20] = [
    ("patient-1", Some("Vera Visitor"), "en"),
    ("patient-2", Some("Viktor Novak"), "en"),
    ("patient-3", None, "es"),
    ("patient-4", Some("Ελένη Παππά"), "el"),
    ("patient-5", Some("Jürgen Groß"), "de"),
    ("patient-6", Some("佐藤 花子"), "ja"),
    ("patient-7", Some("Amélie Durand"), "fr"),
    ("patient-8", Some("王 小明"), "zh"),
    ("patient-9", Some("ليلى حداد"), "ar"),
    ("patient-10", Some("İpek Yılmaz"), "tr"),
    ("patient-11", Some("Grace Okafor"), "en"),
    ("patient-12", Some("Мария Иванова"), "ru"),
    ("patient-13", Some("Luis Ortega"), "es"),
    ("patient-14", None, "en"),
    ("patient-15", Some("Inês Carvalho"), "pt"),
    ("patient-16", Some("Sven Maaß"), "de"),
    ("patient-17", Some("Chloé Petit"), "fr"),
    ("patient-18", Some("Tom Baker"), "en"),
    ("patient-19", Some("Noor Khan"), "en"),
    ("patient-20", None, "de"),
];

/// A conversation: its language and its lines.
pub(super) type Dialogue = (&'static str, &'static [(Who, &'static str)]);

/// The conversations, more than one for languages with many speakers.
pub(super) const DIALOGUES: [Dialogue; 19] = [
    (
        "en",
        &[
            (They, "Hello! May I come earlier on Monday?"),
            (We, "Good morning. Would 8:30 do?"),
            (They, "Perfect, thank you!"),
            (We, "You are down for 8:30. Please bring your insurance card."),
        ],
    ),
    (
        "en",
        &[
            (They, "Is my prescription ready?"),
            (We, "One moment, I am asking the pharmacy."),
            (We, "It is. You can pick it up until 6 pm."),
            (They, "Great 🙏"),
        ],
    ),
    (
        "en",
        &[
            (They, "I got a bill twice: 4711 and 4712."),
            (We, "I am sorry about that. 4712 was a mistake, you can ignore it."),
            (They, "Could I have that in writing?"),
            (We, "Of course, it is on its way to you by post."),
            (They, "Thanks!"),
        ],
    ),
    (
        "en",
        &[
            (They, "My blood pressure was 150/95 this morning. Should I worry?"),
            (We, "Do you have a headache, or pain in the chest?"),
            (They, "No, I feel fine."),
            (We, "Then please rest for ten minutes and measure again. I stay here."),
            (They, "128/84 now."),
            (We, "That is good. Please note both values for your next visit."),
        ],
    ),
    (
        "en",
        &[(They, "Do you take walk-ins?"), (We, "Every day from 8 to 10."), (They, "See you tomorrow then.")],
    ),
    (
        "es",
        &[
            (They, "¿Hablan español?"),
            (We, "Sí, ¿en qué puedo ayudarle?"),
            (They, "Necesito cambiar mi cita del jueves."),
            (We, "¿Le viene bien el viernes a las 11?"),
            (They, "Sí, muchas gracias."),
        ],
    ),
    (
        "es",
        &[
            (They, "¿A qué hora cierra la farmacia?"),
            (We, "A las 18:00. Los sábados, a las 13:00."),
            (They, "¡Gracias!"),
        ],
    ),
    (
        "de",
        &[
            (They, "Guten Tag, ich bräuchte eine Überweisung zur Kardiologie."),
            (We, "Gerne. Waren Sie in diesem Quartal schon bei uns?"),
            (They, "Ja, am 3. wegen der Grippeimpfung."),
            (We, "Dann liegt sie ab morgen an der Anmeldung bereit."),
        ],
    ),
    (
        "de",
        &[
            (They, "Ist Parken vor dem Haus möglich? Groß ist mein Auto nicht."),
            (We, "Ja, im Hof sind Plätze frei. Einfach klingeln."),
        ],
    ),
    (
        "el",
        &[
            (They, "Καλημέρα, βγήκαν οι εξετάσεις μου;"),
            (We, "Καλημέρα σας. Ναι, όλα είναι φυσιολογικά."),
            (They, "Ευχαριστώ πολύ!"),
        ],
    ),
    (
        "fr",
        &[
            (They, "Bonjour, puis-je renouveler mon ordonnance ici ?"),
            (We, "Bonjour ! Oui, pour quel médicament ?"),
            (They, "Lévothyroxine 75."),
            (We, "C'est noté, elle sera prête demain à midi."),
        ],
    ),
    (
        "fr",
        &[
            (They, "Faut-il venir à jeun ?"),
            (We, "Oui, rien depuis minuit, sauf de l'eau."),
            (They, "Entendu."),
        ],
    ),
    (
        "ja",
        &[
            (They, "予約を確認したいのですが。"),
            (We, "水曜日の午後2時でお取りしています。"),
            (They, "ありがとうございます。"),
        ],
    ),
    ("zh", &[(They, "请问可以用手机付款吗？"), (We, "可以，前台扫码就行。"), (They, "好的，谢谢！")]),
    ("ar", &[(They, "هل الطبيبة موجودة اليوم؟"), (We, "نعم، حتى الساعة الرابعة."), (They, "شكرا جزيلا")]),
    (
        "tr",
        &[
            (They, "Merhaba, İpek Yılmaz adına randevum var mı?"),
            (We, "Evet, salı günü saat 9'da."),
            (They, "Teşekkürler."),
        ],
    ),
    (
        "ru",
        &[
            (They, "Здравствуйте! Можно ли получить справку?"),
            (We, "Да, подойдите с паспортом в регистратуру."),
            (They, "Спасибо!"),
        ],
    ),
    (
        "pt",
        &[
            (They, "Bom dia, perdi o cartão de vacinas."),
            (We, "Sem problema, imprimimos outro na receção."),
            (They, "Que alívio, obrigada!"),
        ],
    ),
    (
        "en",
        &[(They, "How long is the wait today?"), (We, "About twenty minutes."), (They, "I'll bring a book.")],
    ),
];

/// Messages between colleagues, in order.
pub(super) const TEAM: [&str; 8] = [
    "Good morning! Who covers the pharmacy today?",
    "I do until noon.",
    "The label printer is back.",
    "Patient 5 may call about his referral: it is signed.",
    "Thanks, I told him.",
    "Please keep an eye on the queue, I am with a patient.",
    "On it.",
    "Cake in the kitchen 🍰",
];

/// A message as oneself.
pub(super) fn words(chat_id: ChatId, text: &str) -> SendMessage {
    SendMessage {
        chat_id,
        text: Some(text.into()),
        attached: Attached::default(),
        sender_id: None,
        message_type: MessageType::Message,
        page: None,
        external_id: None,
        is_internal: false,
        reply_to_id: None,
    }
}
