import { seeded } from './random.ts';

/** Texts in four languages whose words are as frequent as words are (Zipf), the same in each run. */
export const LANGUAGES = ['English', 'German', 'Arabic', 'Chinese'] as const;
type Language = (typeof LANGUAGES)[number];

/** A source as the index takes it. */
export interface MadeSource {
  readonly language: Language;
  readonly title: string;
  readonly text: string;
  readonly host: string;
  readonly tags: readonly string[];
  readonly date: string;
}

/** Words of a language. */
const VOCABULARY = 20_000;
/** Of UTF-8. */
const SOURCE_BYTES = 20_000;
const BYTES_A_CHARACTER: Record<Language, number> = { English: 1, German: 1.02, Arabic: 1.85, Chinese: 2.95 };

const SYLLABLES: Record<Language, readonly string[]> = {
  English: 'ba con de er fi gan hol in jo ker lim mon ner op pre qui ras st ter un ver wil yo zan ing tion ly ed'.split(
    ' ',
  ),
  German: 'bau der ein für gen heit über kel licht mög nis öl pfer sch straß tun ung vor weg zeit äu keit los'.split(
    ' ',
  ),
  Arabic: 'با تر جم حد خر در رس سل شم صب ضر طل عم غر فت قد كت لم مع نه وص يد ال'.split(' '),
  Chinese: Array.from({ length: 3000 }, (_, index) => String.fromCharCode(0x4e_00 + index * 5)),
};

const vocabularies = new Map<Language, readonly string[]>();

/** The words of a language, the most frequent first. */
function vocabulary(language: Language): readonly string[] {
  let words = vocabularies.get(language);
  if (!words) {
    const random = seeded(LANGUAGES.indexOf(language) + 1);
    const syllables = SYLLABLES[language];
    const made = new Set<string>();
    while (made.size < VOCABULARY) {
      // Frequent words are short.
      const most = made.size < 100 ? 2 : language === 'Chinese' ? 3 : 4;
      const count = language === 'Chinese' ? 1 + random(most) : 1 + random(most) + (made.size < 100 ? 0 : 1);
      made.add(Array.from({ length: count }, () => syllables[random(syllables.length)] ?? '').join(''));
    }
    words = [...made];
    vocabularies.set(language, words);
  }
  return words;
}

/** Where a word and a phrase that stand nowhere else are planted: one of each language, in the first sources. */
export const PLANTED: readonly { language: Language; source: number; word: string; phrase: string }[] = [
  { language: 'English', source: 400, word: 'quillfeather', phrase: 'the brass heron sings' },
  { language: 'German', source: 401, word: 'Löffelstör', phrase: 'weiß der müde Fährmann' },
  { language: 'Arabic', source: 402, word: 'زُمُرُّدة', phrase: 'يغني البلبل الأزرق' },
  { language: 'Chinese', source: 403, word: '鹦鹉', phrase: '蓝色的鹦鹉在唱歌' },
];

/** The source of that number. */
export function makeSource(number: number): MadeSource {
  const language = LANGUAGES[number % LANGUAGES.length] ?? 'English';
  const words = vocabulary(language);
  const random = seeded(1000 + number);
  const pick = () =>
    words[Math.min(VOCABULARY, Math.floor(Math.exp((random(1e9) / 1e9) * Math.log(VOCABULARY + 1)))) - 1] ?? '';
  const space = language === 'Chinese' ? '' : ' ';
  const [comma, stop] = language === 'Chinese' ? ['，', '。'] : language === 'Arabic' ? ['،', '.'] : [',', '.'];
  const pieces: string[] = [];
  let size = 0;
  const most = SOURCE_BYTES / BYTES_A_CHARACTER[language];
  const planted = PLANTED.find(({ source }) => source === number);
  while (size < most) {
    const piece =
      pick() + (random(12) === 0 ? (random(2) === 0 ? comma : stop) : '') + (random(90) === 0 ? '\n\n' : space);
    pieces.push(piece);
    size += piece.length;
  }
  if (planted)
    pieces.splice(
      pieces.length >> 1,
      0,
      `${stop}${space}${planted.word}${stop}${space}${planted.phrase}${stop}${space}`,
    );
  return {
    language,
    title: Array.from({ length: 6 }, pick).join(space),
    text: pieces.join(''),
    host: `site${number % 97}.example`,
    tags: [`tag${number % 13}`],
    date: `20${String(10 + (number % 15))}-0${1 + (number % 9)}-11`,
  };
}

/** Two hundred queries, the same in each run: fifty in each language, of words common and rare, alone and together. */
export function makeQueries(): { readonly kind: string; readonly query: string }[] {
  return LANGUAGES.flatMap((language, offset) => {
    const words = vocabulary(language);
    const random = seeded(77 + offset);
    const word = (from: number, to: number) => words[from + random(to - from)] ?? '';
    const some = (kind: string, count: number, make: () => string) =>
      Array.from({ length: count }, () => ({ kind, query: make() }));
    const phrase = () => {
      const { text } = makeSource(random(250) * LANGUAGES.length + offset);
      const begin = text.indexOf(language === 'Chinese' ? '。' : ' ', random(text.length >> 1)) + 1;
      const next = text.slice(begin, begin + 60).split(/[\s,.،，。]+/);
      return `"${language === 'Chinese' ? (next[0] ?? '').slice(0, 4) : next.slice(0, 2).join(' ')}"`;
    };
    return [
      ...some('a common word', 10, () => word(0, 30)),
      ...some('a word', 10, () => word(100, 1000)),
      ...some('a rare word', 10, () => word(5000, VOCABULARY)),
      ...some('two words', 8, () => `${word(0, 100)} ${word(100, 2000)}`),
      ...some('a phrase', 4, phrase),
      ...some('either of two', 3, () => `${word(100, 2000)} OR ${word(100, 2000)}`),
      ...some('one without another', 3, () => `${word(10, 500)} -${word(0, 50)}`),
      ...some('a beginning', 2, () => `${word(1000, VOCABULARY).slice(0, language === 'Chinese' ? 2 : 5)}*`),
    ];
  });
}
