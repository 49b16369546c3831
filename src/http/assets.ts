/** What paths of stylesheets begin with. Every host answers them, because its error pages are drawn with them. */
export const STYLESHEET_PREFIX = '/assets/console-';
