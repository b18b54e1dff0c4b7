/**
 * What browsers are told with every answer. The policy is the one for data and pictures, which load nothing and are shown in no frame; a page
 * brings its own, with the nonce of its scripts (apps/dashboard/proxy.ts), and keeps it.
 */
export const SAFETY_HEADERS: Readonly<Record<string, string>> = {
  // Browsers style the page that they make around a picture.
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  // Pages of other sites, which send no Origin with a picture, do not get to show ours.
  'cross-origin-resource-policy': 'same-origin',
};
