import type { Texts } from './texts.ts';

const unchanged = 'Es wurde nichts geändert.';
const kept = 'Ein schon bestehender Zugriff bleibt erhalten.';
const anotherLink = 'Bitten Sie die Person, von der Sie den Link haben, um einen neuen, und öffnen Sie diesen.';

export const de: Texts = {
  messages: {
    connect: {
      title: '{provider} verbinden',
      what: `Sie werden gebeten, den Token-Broker ein Konto bei {provider} nutzen zu lassen. Danach erneuert er den
        Zugriff von selbst.`,
      next: `Wenn Sie wissen, wofür das ist, fahren Sie fort, melden Sie sich bei {site} mit dem gemeinten Konto an und
        erlauben Sie den Zugriff. Wenn nicht, schließen Sie diese Seite: Es wurde nichts geändert.`,
    },
    connected: {
      title: 'Verbunden',
      what: 'Die Verbindung {connection} mit {provider} ist freigegeben. Sie wird ab jetzt von selbst erneuert.',
      next: 'Sie können diese Seite schließen.',
    },
    connected_unproven: {
      title: 'Verbunden, aber noch nicht erprobt',
      what: `{provider} hat den Zugriff für die Verbindung {connection} erlaubt, aber kein brauchbares Zugriffstoken
        geschickt. Der Broker fragt nach einem anderen; bis es da ist, kann die Verbindung nichts liefern.`,
      next: `Laden Sie diese Seite in einer Minute neu. Steht das dann immer noch da, sagen Sie es der Person, die Ihnen
        den Link gegeben hat.`,
    },
    already_connected: {
      title: 'Schon verbunden',
      what: 'Dieser Link wurde benutzt, und die Verbindung {connection} mit {provider} wurde damit freigegeben.',
      next: 'Sie können diese Seite schließen. Um neu zu verbinden, bitten Sie um einen neuen Link.',
    },
    denied: {
      title: 'Nicht verbunden: Der Zugriff wurde abgelehnt',
      what: `Die Verbindung {connection} wurde nicht freigegeben, weil der Zugriff bei {provider} abgelehnt wurde.
        ${unchanged}`,
      next: `Wenn das ein Versehen war, öffnen Sie denselben Link noch einmal, solange er gilt, und erlauben Sie den
        Zugriff.`,
    },
    unknown_link: {
      title: 'Dieser Link funktioniert nicht',
      what: `Er ist unvollständig, wurde verändert oder ist nicht von hier, oder die Verbindung gibt es nicht mehr.
        ${unchanged}`,
      next: anotherLink,
    },
    link_expired: {
      title: 'Dieser Link ist abgelaufen',
      what: `Die Verbindung {connection} kann damit nicht mehr freigegeben werden. ${unchanged}`,
      next: anotherLink,
    },
    link_used: {
      title: 'Dieser Link wurde schon benutzt',
      what: `Damit hat sich jemand angemeldet; das ergab keinen Zugriff oder ist noch nicht zu Ende. Ein Link gilt für
        eine Anmeldung.`,
      next: `Wenn Sie sich gerade angemeldet haben, warten Sie kurz und laden Sie diese Seite neu. Sonst: ${anotherLink}
        Wenn Sie sich gerade angemeldet haben, warten Sie kurz und laden Sie diese Seite neu. Sonst: ${anotherLink}`,
    },
    link_over: {
      title: 'Dieser Link wurde ersetzt oder zurückgezogen',
      what: `Ein Link gilt, bis es einen neueren gibt, er zurückgezogen oder die Verbindung {connection} geändert wird.
        ${unchanged}`,
      next: anotherLink,
    },
    not_possible: {
      title: 'Diese Verbindung lässt sich nicht durch Anmelden freigeben',
      what: `Die Einstellungen der Verbindung {connection} führen zu keiner Anmeldung. ${unchanged}`,
      next: 'Sagen Sie es der Person, von der Sie den Link haben: Die Verbindung muss neu eingerichtet werden.',
    },
    another_browser: {
      title: 'Diese Anmeldung begann nicht in diesem Browser',
      what: `Sie muss in dem Browser enden, in dem die Seite mit dem Link geöffnet wurde, und Cookies müssen erlaubt
        sein. Die Antwort des Anbieters wurde nicht verwendet. ${unchanged}`,
      next: `Öffnen Sie den Link, den Sie bekommen haben, in diesem Browser und fahren Sie von dort fort. Wenn Sie
        geradewegs zur Anmeldung des Anbieters geschickt wurden, hat es vielleicht jemand auf Ihr Konto abgesehen:
        Sagen Sie es der Person, die diesen Broker betreibt.`,
    },
    another_connection: {
      title: 'Diese Antwort gehört zu einer anderen Verbindung',
      what: `Eine Anmeldung kam an der Adresse einer anderen Verbindung zurück als der, für die sie begann. Die Antwort
        des Anbieters wurde nicht verwendet. ${unchanged}`,
      next: `Sagen Sie es der Person, von der Sie den Link haben: Vielleicht ist beim Anbieter eine andere Redirect-URI
        registriert, oder die Anmeldung wurde manipuliert.`,
    },
    another_issuer: {
      title: 'Die Antwort kam von woanders',
      what: `Ein anderer Server antwortete als der, der für die Verbindung {connection} gefragt wurde, oder er sagte
        nicht, welcher er ist. Die Antwort wurde nicht verwendet. ${unchanged}`,
      next: `Sagen Sie es der Person, von der Sie den Link haben: Vielleicht nennen die Einstellungen den falschen
        Issuer, oder die Anmeldung wurde manipuliert.`,
    },
    another_region: {
      title: 'Das Konto liegt in einer anderen Region',
      what: `{provider} führt dieses Konto anderswo, als die Verbindung {connection} es sucht. ${unchanged}`,
      next: `Bitten Sie die Person, von der Sie den Link haben, die Verbindung mit "{setting}": "{value}" einzurichten,
        und um einen neuen Link.`,
    },
    malformed: {
      title: 'Die Antwort des Anbieters ergibt keinen Sinn',
      what: `Die Verbindung {connection} wurde nicht freigegeben. ${unchanged}`,
      next: 'Öffnen Sie den Link noch einmal. Wenn das nicht hilft, sagen Sie es der Person, von der Sie ihn haben.',
    },
    refused: {
      title: 'Der Anbieter hat abgelehnt',
      what: `Die Verbindung {connection} wurde nicht freigegeben: {provider} antwortete {code}. ${kept}`,
      next: '{advice}',
    },
    refused_without_state: {
      title: 'Der Anbieter hat abgelehnt',
      what: `Er antwortete {code} und sagte nicht, um welche Anmeldung es geht. ${unchanged}`,
      next: '{advice}',
    },
    no_answer: {
      title: 'Der Anbieter hat nicht geantwortet',
      what: `Die Verbindung {connection} wurde nicht freigegeben ({code}). ${kept}`,
      next: `Warten Sie kurz. ${anotherLink}`,
    },
    no_refresh_token: {
      title: 'Der Anbieter gab kein Refresh-Token',
      what: `Ohne eines lässt sich die Verbindung {connection} nicht erneuern; sie wurde nicht geändert. Oft fehlt ein
        Scope wie offline_access.`,
      next: `Sagen Sie es der Person, von der Sie den Link haben: Die Einstellungen müssen einen Scope mit
        Offline-Zugriff anfordern.`,
    },
    changed_meanwhile: {
      title: 'Die Verbindung wurde inzwischen geändert',
      what: `Die Verbindung {connection} wurde während der Anmeldung gelöscht oder anders freigegeben. ${unchanged}`,
      next: anotherLink,
    },
    unavailable: {
      title: 'Nicht verbunden: Versuchen Sie es gleich noch einmal',
      what: `Der Broker erreicht seine eigenen Speicher im Moment nicht. ${kept}`,
      next: `Laden Sie diese Seite gleich neu. Wenn sie dann sagt, dass der Link benutzt wurde: ${anotherLink}`,
    },
    failed: {
      title: 'Nicht verbunden: Der Broker ist gescheitert',
      what: `Die Anmeldung konnte nicht verarbeitet werden. ${kept}`,
      next: anotherLink,
    },
  },
  advice: {
    scope: `Sagen Sie es der Person, von der Sie den Link haben: Die Einstellungen fordern einen Scope an, den diese
      Anwendung nicht haben darf.`,
    application: `Sagen Sie es der Person, von der Sie den Link haben: Die Anwendung ist beim Anbieter nicht so
      registriert, wie es diese Anmeldung braucht.`,
    redirect_uri: `Sagen Sie es der Person, von der Sie den Link haben: Die Redirect-URI dieser Verbindung muss beim
      Anbieter genau so registriert sein.`,
    later: 'Warten Sie ein paar Minuten und öffnen Sie dann denselben Link noch einmal.',
    other: 'Sagen Sie der Person, von der Sie den Link haben, was hier steht, und bitten Sie um einen neuen.',
  },
  facts: {
    provider: 'Anbieter',
    connection: 'Verbindung',
    account: 'Konto',
    askedBy: 'Angefordert von',
    goodUntil: 'Gültig bis',
  },
  go: 'Weiter zu {site}',
};
