"""The fixed sentences of an answer, in the language of the question.

A language is added by a line of each key; one that a key lacks is answered in English.
"""

from typing import Literal

from application.language import DEFAULT

Key = Literal["abstained", "degraded", "unsupported_note", "conflict_note", "welcome"]

PHRASES: dict[Key, dict[str, str]] = {
    "abstained": {
        "en": "I could not find an answer to that in the documents.",
        "de": "Dazu habe ich in den Dokumenten keine Antwort gefunden.",
        "fr": "Je n'ai pas trouvé de réponse à cette question dans les documents.",
        "es": "No he encontrado una respuesta a esa pregunta en los documentos.",
        "it": "Non ho trovato una risposta a questa domanda nei documenti.",
        "pt": "Não encontrei uma resposta a essa pergunta nos documentos.",
        "nl": "Ik heb in de documenten geen antwoord op die vraag gevonden.",
        "zh": "我在文档中没有找到这个问题的答案。",
        "ja": "文書の中にその質問への答えは見つかりませんでした。",
        "ko": "문서에서 그 질문에 대한 답을 찾지 못했습니다.",
    },
    "degraded": {
        "en": "The model is not available; these passages match the question best.",
        "de": "Das Modell ist nicht verfügbar; diese Stellen passen am besten zur Frage.",
        "fr": "Le modèle n'est pas disponible ; ces passages correspondent le mieux à la question.",
        "es": "El modelo no está disponible; estos pasajes son los más cercanos a la pregunta.",
        "it": "Il modello non è disponibile; questi passaggi sono i più vicini alla domanda.",
        "pt": "O modelo não está disponível; estes trechos são os mais próximos da pergunta.",
        "nl": "Het model is niet beschikbaar; deze passages passen het best bij de vraag.",
        "zh": "模型目前不可用；以下段落与问题最相符。",
        "ja": "モデルを利用できません。質問に最も近い箇所は次のとおりです。",
        "ko": "모델을 사용할 수 없습니다. 다음은 질문과 가장 잘 맞는 구절입니다.",
    },
    "unsupported_note": {
        "en": "The documents do not support this statement.",
        "de": "Die Dokumente belegen diese Aussage nicht.",
        "fr": "Les documents ne confirment pas cette affirmation.",
        "es": "Los documentos no respaldan esta afirmación.",
        "it": "I documenti non confermano questa affermazione.",
        "pt": "Os documentos não confirmam esta afirmação.",
        "nl": "De documenten ondersteunen deze bewering niet.",
        "zh": "文档不支持这一说法。",
        "ja": "この記述は文書によって裏付けられていません。",
        "ko": "문서는 이 진술을 뒷받침하지 않습니다.",
    },
    "conflict_note": {
        "en": "The documents disagree:",
        "de": "Die Dokumente widersprechen sich:",
        "fr": "Les documents se contredisent :",
        "es": "Los documentos se contradicen:",
        "it": "I documenti si contraddicono:",
        "pt": "Os documentos contradizem-se:",
        "nl": "De documenten spreken elkaar tegen:",
        "zh": "各文档的说法不一致：",
        "ja": "文書の内容が食い違っています：",
        "ko": "문서들의 내용이 서로 다릅니다:",
    },
    "welcome": {
        "en": "You are welcome.",
        "de": "Gern geschehen.",
        "fr": "Je vous en prie.",
        "es": "De nada.",
        "it": "Prego.",
        "pt": "De nada.",
        "nl": "Graag gedaan.",
        "zh": "不客气。",
        "ja": "どういたしまして。",
        "ko": "천만에요.",
    },
}


def phrase(key: Key, language: str = DEFAULT) -> str:
    """A fixed sentence in a language, by its code in ISO 639-1; in English where there is none."""
    sentences = PHRASES[key]
    return sentences.get(language, sentences[DEFAULT])
