import { normaliseEncoding } from './percent.ts';

/**
 * Parameters that say where a reader came from and never what is shown: those that Firefox strips (its query stripping
 * list) and Brave (its query filter), and what analytics and mailing tools add besides. A name that some sites give a
 * meaning (`ref`, `source`, `id`, `s`) is not among them: one source as two is a nuisance, two as one are a mistake.
 */
const TRACKING: ReadonlySet<string> = new Set(
  `fbclid fb_action_ids fb_action_types fb_source fb_ref gclid gclsrc gbraid wbraid gad_source gad_campaignid dclid srsltid
  msclkid twclid ttclid ScCid li_fat_id epik yclid ysclid _openstat igshid igsh mc_cid mc_eid mc_tc mkt_tok
  ml_subscriber ml_subscriber_hash oly_anon_id oly_enc_id vero_id vero_conv wickedid rb_clickid s_cid ss_email_id
  _hsenc _hsmi __hssc __hstc __hsfp hsCtaTracking __s sms_click sms_source sms_uph _bhlid bbeml bsft_clkid bsft_eid bsft_mid
  bsft_uid bsft_utid unicorn_click_id guccounter guce_referrer guce_referrer_sig _ga _gl _ke cmpid ncid ref_src ref_url
  _branch_match_id _branch_referrer _kx et_rid mibextid syclid at_medium at_campaign irclickid cvid oicd dm_i
  trk_contact trk_msg trk_module trk_sid pk_campaign pk_kwd pk_source pk_medium mtm_campaign mtm_source mtm_medium
  mtm_keyword piwik_campaign piwik_kwd`
    .toLowerCase()
    .split(/\s+/),
);

const isTracking = (name: string): boolean => name.startsWith('utm_') || TRACKING.has(name);

/** Parameters that ask for the AMP form of a page, whatever else they say. */
const asksForAmp = (name: string, value: string): boolean =>
  (/^_?amp$/.test(name) && /^(?:1|true|)$/i.test(value)) || (name === 'outputtype' && value.toLowerCase() === 'amp');

/**
 * A query (without its `?`) without what tracks, in the order of the names: a form and a link write the same
 * parameters in other orders. Values of one name keep their order, because a list may have one.
 */
export function normaliseQuery(query: string): string {
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', ...value] = normaliseEncoding(pair).split('=');
      return { name, value: value.join('='), pair: [name, ...value].join('=') };
    })
    .filter(({ name, value }) => {
      const lower = name.toLowerCase();
      return !isTracking(lower) && !asksForAmp(lower, value);
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)))
    .map(({ pair }) => pair)
    .join('&');
}
