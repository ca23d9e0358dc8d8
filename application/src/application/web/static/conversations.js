// Conversations that survive a reload. They stay in this browser, apart for each API key.

import { keyMark } from "./api.js";

const SLOT = "faultline-conversations"; // in localStorage: a list, the latest first
const CURRENT = "faultline-current"; // in sessionStorage: which one this tab shows
const MOST = 30;
const HISTORY_EXCHANGES = 6;
const HISTORY_CHARACTERS = 1000; // of one turn: with the question it stays far below the body's limit

// A conversation is {id, turns}; a turn is {question, answer}, with the answer as the API gave it.
export function newConversation() {
  sessionStorage.removeItem(CURRENT);
  return { id: `${Date.now()}-${Math.random().toString(36).slice(2)}`, turns: [] };
}

export function allConversations() {
  try {
    const kept = JSON.parse(localStorage.getItem(slot())) ?? [];
    return kept.filter(({ id, turns }) => id && turns.length && turns.every(isWhole));
  } catch {
    return []; // unreadable, or this browser keeps nothing
  }
}

function isWhole({ question, answer }) {
  return typeof question === "string" && typeof answer?.text === "string";
}

export function currentConversation() {
  const id = sessionStorage.getItem(CURRENT);
  return allConversations().find((one) => one.id === id) ?? newConversation();
}

export function openConversation(id) {
  sessionStorage.setItem(CURRENT, id);
  return currentConversation();
}

// Keeps a conversation; where the browser's room is used up, the oldest ones go.
export function keepConversation(conversation) {
  const others = allConversations().filter(({ id }) => id !== conversation.id);
  const kept = [conversation, ...others].slice(0, MOST);
  sessionStorage.setItem(CURRENT, conversation.id);
  while (kept.length) {
    try {
      localStorage.setItem(slot(), JSON.stringify(kept));
      return;
    } catch {
      kept.pop();
    }
  }
}

export function forgetConversations() {
  localStorage.removeItem(slot());
}

// What the API is told of the conversation, oldest first.
export function historyOf({ turns }) {
  return turns.slice(-HISTORY_EXCHANGES).flatMap(({ question, answer }) => [
    { role: "user", content: cut(question) },
    { role: "assistant", content: cut(answer.text) },
  ]);
}

// Cut by whole characters: half of one is no text that the API can read.
function cut(text) {
  return [...text].slice(0, HISTORY_CHARACTERS).join("");
}

function slot() {
  return `${SLOT}${keyMark()}`;
}
