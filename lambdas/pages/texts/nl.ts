import type { Texts } from './texts.ts';

const unchanged = 'Er is niets gewijzigd.';
const kept = 'De toegang die er al was, blijft behouden.';
const anotherLink = 'Vraag een nieuwe link aan degene van wie u deze kreeg, en open die.';

export const nl: Texts = {
  messages: {
    connect: {
      title: '{provider} koppelen',
      what: `U wordt gevraagd om de tokenbroker een account bij {provider} te laten gebruiken. Daarna verlengt die de
        toegang vanzelf.`,
      next: `Weet u waar dit voor is, ga dan door, log in bij {site} met het bedoelde account en sta de toegang toe.
        Weet u het niet, sluit dan deze pagina: er is niets gewijzigd.`,
    },
    connected: {
      title: 'Gekoppeld',
      what: 'De verbinding {connection} met {provider} is gekoppeld. Ze wordt voortaan vanzelf verlengd.',
      next: 'U kunt deze pagina sluiten.',
    },
    connected_unproven: {
      title: 'Gekoppeld, maar nog niet bewezen',
      what: `{provider} heeft toegang gegeven voor de verbinding {connection}, maar geen bruikbaar toegangstoken
        gestuurd. De broker vraagt een ander aan; tot dat er is, werkt de verbinding niet.`,
      next: 'Laad deze pagina over een minuut opnieuw. Staat dit er nog, vertel het degene van wie u de link kreeg.',
    },
    already_connected: {
      title: 'Al gekoppeld',
      what: 'Deze link is gebruikt, en de verbinding {connection} met {provider} is ermee gekoppeld.',
      next: 'U kunt deze pagina sluiten. Vraag een nieuwe link om opnieuw te koppelen.',
    },
    denied: {
      title: 'Niet gekoppeld: de toegang is geweigerd',
      what: `De verbinding {connection} is niet gekoppeld, omdat de toegang bij {provider} is geweigerd. ${unchanged}`,
      next: 'Was dat een vergissing, open dan dezelfde link opnieuw zolang die geldig is, en sta de toegang toe.',
    },
    unknown_link: {
      title: 'Deze link werkt niet',
      what: `De link is onvolledig, gewijzigd of niet van hier, of de verbinding bestaat niet meer. ${unchanged}`,
      next: anotherLink,
    },
    link_expired: {
      title: 'Deze link is verlopen',
      what: `De verbinding {connection} kan er niet meer mee worden gekoppeld. ${unchanged}`,
      next: anotherLink,
    },
    link_used: {
      title: 'Deze link is al gebruikt',
      what: `Er is mee ingelogd, maar dat leverde geen toegang op of is nog bezig. Een link is goed voor één keer
        inloggen.`,
      next: `Hebt u zojuist ingelogd, wacht dan even en laad deze pagina opnieuw. Zo niet: ${anotherLink}`,
    },
    link_over: {
      title: 'Deze link is vervangen of ingetrokken',
      what: `Een link geldt tot er een nieuwe is, de link wordt ingetrokken, of de verbinding {connection} wordt
        gewijzigd. ${unchanged}`,
      next: anotherLink,
    },
    not_possible: {
      title: 'Deze verbinding kan niet met inloggen worden gekoppeld',
      what: `De instellingen van de verbinding {connection} leiden niet naar een inlogpagina. ${unchanged}`,
      next: 'Vertel het degene van wie u de link kreeg: de verbinding moet opnieuw worden ingesteld.',
    },
    another_browser: {
      title: 'Dit inloggen begon niet in deze browser',
      what: `Het moet eindigen in de browser waarin de pagina met de link is geopend, met cookies toegestaan. Het
        antwoord van de aanbieder is niet gebruikt. ${unchanged}`,
      next: `Open de link die u kreeg in deze browser en ga van daar verder. Werd u meteen naar de inlogpagina van de
        aanbieder gestuurd, dan heeft iemand het misschien op uw account gemunt: vertel het de beheerder van deze
        broker.`,
    },
    another_connection: {
      title: 'Dit antwoord is voor een andere verbinding',
      what: `Het inloggen kwam terug op het adres van een andere verbinding dan waarvoor het begon. Het antwoord van de
        aanbieder is niet gebruikt. ${unchanged}`,
      next: `Vertel het degene van wie u de link kreeg: misschien is bij de aanbieder een andere redirect-URI
        geregistreerd, of er is met het inloggen geknoeid.`,
    },
    another_issuer: {
      title: 'Het antwoord kwam ergens anders vandaan',
      what: `Een andere server antwoordde dan die voor de verbinding {connection} was gevraagd, of zei niet welke hij
        is. Het antwoord is niet gebruikt. ${unchanged}`,
      next: `Vertel het degene van wie u de link kreeg: de instellingen noemen misschien de verkeerde issuer, of er is
        met het inloggen geknoeid.`,
    },
    another_region: {
      title: 'Het account staat in een andere regio',
      what: `{provider} bewaart dit account ergens anders dan waar de verbinding {connection} het zoekt. ${unchanged}`,
      next: `Vraag degene van wie u de link kreeg om de verbinding in te stellen met "{setting}": "{value}", en om een
        nieuwe link.`,
    },
    malformed: {
      title: 'Het antwoord van de aanbieder klopt niet',
      what: `De verbinding {connection} is niet gekoppeld. ${unchanged}`,
      next: 'Open de link opnieuw. Helpt dat niet, vertel het dan degene van wie u de link kreeg.',
    },
    refused: {
      title: 'De aanbieder weigerde',
      what: `De verbinding {connection} is niet gekoppeld: {provider} antwoordde {code}. ${kept}`,
      next: '{advice}',
    },
    refused_without_state: {
      title: 'De aanbieder weigerde',
      what: `Het antwoord was {code}, zonder te zeggen om welk inloggen het gaat. ${unchanged}`,
      next: '{advice}',
    },
    no_answer: {
      title: 'De aanbieder antwoordde niet',
      what: `De verbinding {connection} is niet gekoppeld ({code}). ${kept}`,
      next: `Wacht even. ${anotherLink}`,
    },
    no_refresh_token: {
      title: 'De aanbieder gaf geen refresh token',
      what: `Zonder refresh token kan de verbinding {connection} niet worden verlengd; ze is dus niet gewijzigd. Vaak
        ontbreekt een scope, zoals offline_access.`,
      next: `Vertel het degene van wie u de link kreeg: de instellingen moeten om een scope met offline toegang vragen.
        Vertel het degene van wie u de link kreeg: de instellingen moeten om een scope met offline toegang vragen.`,
    },
    changed_meanwhile: {
      title: 'De verbinding is intussen gewijzigd',
      what: `De verbinding {connection} is tijdens het inloggen verwijderd of op een andere manier gekoppeld.
        ${unchanged}`,
      next: anotherLink,
    },
    unavailable: {
      title: 'Niet gekoppeld: probeer het zo opnieuw',
      what: `De broker kan zijn eigen opslag op dit moment niet bereiken. ${kept}`,
      next: `Laad deze pagina straks opnieuw. Staat er dan dat de link is gebruikt: ${anotherLink}`,
    },
    failed: {
      title: 'Niet gekoppeld: er ging iets mis in de broker',
      what: `Het inloggen kon niet worden verwerkt. ${kept}`,
      next: anotherLink,
    },
  },
  advice: {
    scope: `Vertel het degene van wie u de link kreeg: de instellingen vragen om een scope die deze toepassing niet mag
      hebben.`,
    application: `Vertel het degene van wie u de link kreeg: de toepassing is bij de aanbieder niet zo geregistreerd als
      voor dit inloggen nodig is.`,
    redirect_uri: `Vertel het degene van wie u de link kreeg: de redirect-URI van deze verbinding moet letterlijk zo bij
      de aanbieder zijn geregistreerd.`,
    later: 'Wacht een paar minuten en open dan dezelfde link opnieuw.',
    other: 'Vertel degene van wie u de link kreeg wat hier staat, en vraag een nieuwe.',
  },
  facts: {
    provider: 'Aanbieder',
    connection: 'Verbinding',
    account: 'Account',
    askedBy: 'Gevraagd door',
    goodUntil: 'Geldig tot',
  },
  go: 'Verder naar {site}',
};
