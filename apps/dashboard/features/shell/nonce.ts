/** Dialogs add a style sheet while they are open: under this name their library looks for the nonce that lets them. */
export const NONCE_SCRIPT = ';window.__webpack_nonce__=document.currentScript.nonce';
