"""The words of the trade in eight languages, each with the concept that it stands for.

A header is read as a set of concepts: "Bestell-Nr.", "PO #" and "N° de
commande" are all order and number. German and Dutch compounds are taken apart
into words that stand here. Words are written without accents and in lower
case, as headers are before they are looked up.

Next: provenance/ingest/inspecting/tokens.py
"""

from __future__ import annotations

from typing import Final

__all__ = ["CONCEPTS", "NEUTRAL", "SEVERAL", "STOP", "WORDS"]

CONCEPTS: Final[dict[str, str]] = {
    # what identifies
    "number": "no nr num nbr number numbers nummer numero numer nro nos",
    "id": "id ids ident identifier identification kennung identificador identificatie key uid guid",
    "code": "code codes kode codigo codice cod cd",
    "reference": "ref reference referenz referencia referentie riferimento refer",
    "line": "line lines zeile ligne linea linha riga regel pos position posten posicion lineitem "
    "detail details detalle detalhe",
    "row": "row sequence record entry datensatz registro seq lfd",
    # times
    "date": "date dates dt datum data fecha day tag jour dia giorno",
    "time": "time timestamp datetime zeit uhrzeit zeitpunkt zeitstempel heure hora ora tijd "
    "tijdstip ts",
    "planned": "planned plan scheduled schedule estimated est expected requested req promised due "
    "target geplant soll wunsch plantermin voraussichtlich prevu prevue planifie estime "
    "souhaite previsto prevista estimado estimada programado programmata programmato "
    "richiesta gepland verwacht forecast anticipated planmassig limit deadline latest "
    "cutoff demande demandee demandes demandees souhaitee requis requise wunschtermin "
    "wunschdatum confirmed promise solicitada solicitado comprometida previsao programmed "
    "required needby pactada agendada agendado",
    "recorded": "recorded created entered updated modified posted booked erfasst angelegt gebucht "
    "creation enregistre creado registrado geboekt posting inserted approved approval "
    "registered registration registrada emissao emision emission issue issued ausstellung "
    "ausgestellt paid payment paye pagado pago bezahlt zahlung pagamento",
    "quoted": "quote quoted quotation pq rfq offer angebot devis cotizacion offerte proforma",
    # movements
    "order": "order orders bestellung bestell auftrag auftrags commande cde pedido orden ordine "
    "bestelling encomenda ordered ordering sipo pedidos ordem placed ordini",
    "purchase": "purchase purchasing einkauf einkaufs achat compra acquisto inkoop",
    "sales": "sales so verkauf verkaufs vente venta vendas verkoop vendita",
    "shipment": "shipment shipments shpmt shpt shipping desadv sendung sendungs versand versands "
    "envoi expedition envio embarque spedizione zending verzend consignment consig load "
    "expediente despatchadvice expedicao avviso remessa lieferavis expediciones envios "
    "embarques trip tour viaje viagem verschiffung",
    "shipped": "shipped ship despatched dispatched despatch dispatch sent departed departure dep "
    "abgang abfahrt verladen verladung versendet ausgang warenausgang expedie expediee "
    "enviado enviada salida saida partenza vertrek vertrokken sailed sailing sail onboard "
    "loaded pickup pickedup collected collection abholung enlevement spedito verzonden "
    "goodsissue gi departs fulfilled fulfillment fulfilment outbound abgegangen desp "
    "embarcado embarcada expedicion wa",
    "delivery": "delivery lever delivered deliver deliv dlv dlvry dn lieferung liefer geliefert "
    "lieferschein livraison livre livree entrega entregado entregada albaran consegna "
    "consegnato levering geleverd leverings zustellung remito guia remision entregas "
    "zugestellt",
    "received": "received receipt receive recd rcvd arrival arrived arr arrive ankunft eingang "
    "wareneingang eingegangen erhalten arrivee reception recu recue llegada recepcion "
    "recibido chegada recebido recebimento recepcao arrivo ricevuto ricevimento ricezione "
    "aankomst ontvangst ontvangen unloaded unload grn goodsin landed discharged entladen "
    "entladung rcv dropoff drop inbound arrives empfangen empfang llego recepcionado rcpt",
    "produced": "produced production manufactured prod herstellung herstellungs hergestellt "
    "produktion produktions produktie fabrication fabrique fabricacion fabricado "
    "fabricacao produzione prodotta packed packing mfd produccion producao fab "
    "elaboracion",
    "expiry": "expiry expiration expires expire exp bbd bbe bestbefore mhd haltbarkeit haltbar "
    "verfall verfalls ablauf peremption dluo dlc caducidad vencimiento validade "
    "vencimento scadenza vervaldatum tht houdbaar shelflife useby perempt venc "
    "vto mindesthaltbarkeit",
    "event": "event events ereignis evenement evento activity bizstep step movement "
    "transaction bewegung bewegungs mouvement movimiento movimento milestone",
    # who
    "vendor": "vendor vendors supplier suppliers seller lieferant lieferanten kreditor fournisseur "
    "frn proveedor fornecedor fornitore leverancier vend supp farmer grower cooperative "
    "producteurs vendedor venditore verkaufer",
    "maker": "manufacturer manufacturing mfr mfgr mfg maker producer producing hersteller "
    "erzeuger fabricant fabricante produttore fabrikant producteur productor "
    "produtor produsent made millsite",
    "site": "site plant factory facility mill works werk werks usine fabrica fabbrica fabriek "
    "planta stabilimento standort standorts vestiging betrieb location loc lieu lugar "
    "ubicacion luogo locatie warehouse whse wh lager lagerort entrepot almacen armazem "
    "magazzino magazijn depot depo dc hub plnt sloc station terminal center centre centro "
    "zentrum branch filiale sucursal organization organisation org stelle",
    "shipper": "shipper consignor exporter sender absender versender exporteur expediteur "
    "remitente expedidor exportador remetente mittente speditore afzender chargeur "
    "shipfrom cargador",
    "consignee": "consignee customer cust client buyer receiver recipient importer shipto soldto "
    "empfanger empfaenger warenempfanger kunde kunden importeur besteller destinataire "
    "acheteur destinatario cliente comprador importador consignatario klant ontvanger "
    "afnemer recebedor deliverto store purchaser adquirente acquirente receptor buyers "
    "importers",
    "notify": "notify notifyparty",
    "carrier": "carrier carriers forwarder haulier hauler spediteur spedition frachtfuhrer "
    "transporteur transportista transportadora transportador vettore corriere vervoerder "
    "airline courier shippingline reederei armateur naviera expeditor trucker 3pl lsp",
    "vessel": "vessel schiff navire buque navio nave schip voyage flight vesselname imo voy",
    "party": "name party firma company partner",
    # where
    "country": "country countries ctry cntry land landes pays pais paese nation",
    "origin": "origin orig origen origine origem ursprung ursprungs herkunft herkunfts oorsprong "
    "provenance provenienza from von procedencia source sourced herkomst orgn",
    "destination": "destination dest destino destinazione bestemming ziel bestimmung bestimmungs "
    "zielort dst to nach",
    "port": "port hafen puerto porto haven seaport airport flughafen",
    "loading": "loading laden lade embarquement carga carico verlade belading lading "
    "chargement foreign",
    "discharge": "discharge unloading losch loesch entlade dechargement descarga scarico lossing "
    "desembarque debarquement unlading landing",
    "city": "city town ort stadt ville ciudad cidade citta stad",
    "address": "address adresse direccion endereco indirizzo adres street zip postcode plz postal",
    "state": "state province region bundesland provincia departement estado regione uf",
    "locode": "locode unlocode",
    "latitude": "latitude lat breite breitengrad latitud latitudine",
    "longitude": "longitude lon lng long lange langengrad longitud longitudine",
    "gln": "gln iln",
    # what
    "product": "product products item items article articles artikel art material materials matnr "
    "produit producto articulo produto artigo prodotto articolo goods ware waren part "
    "parts commodity stock teil teile itm mat merce merci mercancia mercadoria goederen "
    "marchandise marchandises style asin materiale cargo stockcode crop species variety "
    "produce mercaderia sachnummer denrees",
    "description": "description desc descr bezeichnung beschreibung benennung designation libelle "
    "descripcion descricao descrizione omschrijving text title denominacion "
    "denominazione libelleproduit naam nombre nom nome",
    "gtin": "gtin ean upc barcode barcodes ean13 gtin13 gtin14 strichcode upca jan codebarre",
    "hs": "hs harmonized harmonised hts tariff zolltarif zolltarifnummer taric ncm hscode "
    "htscode statnr customs douane arancelaria arancelario arancel nandina sh "
    "nomenclature tarifaire douaniere fraccion hs6 hs8 hs10",
    "lot": "lot lots batch batches charge chargen lote lotes lotto partij batchno lotno charg",
    "serial": "serial serials sn imei serie serienummer seriennummer serien seriale sernr",
    "brand": "brand marke marque marca merk trademark",
    "category": "category group class classification family categorie categoria gruppe warengruppe "
    "famille familia type typ tipo subclass sub segment division department genre soort "
    "form dosage subcategory importance",
    # papers and boxes
    "bol": "bol bl mbl hbl waybill awb mawb cmr konnossement connaissement conocimiento "
    "conhecimento polizza vrachtbrief frachtbrief seawaybill billoflading airwaybill mbol "
    "hbol lta recepisse wb conocimientos awbno",
    "invoice": "invoice inv rechnung rechnungs rg facture fac factura fatura fattura factuur "
    "billing bill",
    "container": "container containers cntr conteneur contenedor conteiner contentor containernr "
    "equipment trailer box unitload",
    "sscc": "sscc nve licenseplate lpn palletid",
    "package": "package packages pkg pkgs pack packs packung carton cartons ctn ctns colli colis "
    "bultos bulto paket pakete karton kartons caja cajas caixas case cases packstuck "
    "packstucke pallet pallets palette paletten palettes palet plt scatole dozen bag bags "
    "sack sacks sacos sacs bolsas saco",
    # how much
    "quantity": "quantity count piece quantities qty qnty quant quantite qte menge mng cantidad "
    "cant quantidade qtd qtde quantita qta aantal pcs pieces pc stuck stuckzahl stk units "
    "anzahl piezas pecas pezzi stuks ctqty volumeqty anz qttie qtt",
    "weight": "weight weights wt wgt gewicht gew poids peso massa mass tonnage gewichts",
    "kg": "kg kilo kilos kilogram kilograms kilogramm kilogramme kilogrammes kilogramos",
    "lb": "lb lbs pound pounds",
    "tonne": "tonne tonnes ton tons mt tonnen tonelada toneladas tonnellate",
    "gram": "gram grams gramm grammes g gr",
    "gross": "gross brutto brut bruto lordo lorda brute bruta",
    "net": "net netto neto nett netta nette liquido",
    "tare": "tare tara",
    "volume": "volume cbm vol volumen cubage m3 kubikmeter",
    "value": "value val amount amt wert warenwert betrag valeur montant valor importe valore "
    "importo waarde bedrag worth fob cif turnover extended zollwert",
    "price": "price preis prix precio preco prezzo prijs stuckpreis einzelpreis",
    "rate": "rate satz taux tasa tasso tarief percent percentage",
    "trade": "import imports export exports einfuhr ausfuhr importation exportation",
    "cost": "cost costs kosten cout couts coste costo custo charges fee duty zoll tax mwst vat "
    "tva iva tarifs taxes",
    "freight": "freight fracht fret flete frete nolo vracht frachtkosten",
    "insurance": "insurance versicherung assurance seguro assicurazione verzekering insured",
    "total": "total gesamt summe totale totaal sum tot somme",
    "unit": "unit uom me um einheit mengeneinheit unite unidad unidade unita eenheid measure "
    "mesure medida misura umb meins ume maat basiseinheit uqc uv udm un uds ud unmed "
    "unitario unitaria unitaire",
    "currency": "currency curr ccy cur wahrung waehrung waehr devise moneda moeda valuta divisa "
    "munt iso4217",
    "usd": "usd dollar dollars",
    "money": "eur euro euros gbp chf jpy cny inr brl rmb cad aud nzd sek nok dkk pln czk huf rub "
    "krw twd hkd sgd thb idr myr php vnd pkr bdt lkr egp ngn kes ghs xof xaf zar mad mxn "
    "clp cop uyu aed sar",
    "temperature": "temperature temp temperatur temperatura temperatuur",
    # how
    "mode": "mode modal modality modalita modalite modo means method methode metodo wijze weg",
    "transport": "transport transportation verkehr verkehrs verkehrstrager transportart "
    "transporte trasporto vervoer vervoers via versandart beforderung beforderungs",
    "incoterm": "inco incoterm incoterms lieferbedingung lieferbedingungen term terms",
    "status": "status stand etat stato condition",
    "remark": "remark remarks comment comments notes bemerkung bemerkungen kommentar "
    "commentaire observacion observaciones observacoes nota opmerking memo "
    "instruction",
    "actual": "actual ist real effective reel reelle tatsachlich effettiva werkelijk actually act",
    "per": "per par por je",
    "managed": "managed handled responsible bearbeiter sachbearbeiter planner",
    "certificate": "certificate cert zertifikat certificat certificado certificato",
    "worker": "worker driver operator employee fahrer chauffeur conductor autista bestuurder",
    "vehicle": "truck vehicle plate kennzeichen lkw camion placa targa kenteken",
    "duration": "days hours leadtime lead duration dauer duree",
    "slip": "slip note advice schein bordereau avis",
    "tracking": "tracking track pro sendungsverfolgung suivi",
    "booking": "booking buchung reservation reserva",
    "start": "start begin began started beginn debut inicio inizio",
    "end": "end ended finish finished completed completion ende fin fine",
    "other": "email mail phone tel telephone telefon telefono telefone fax mobile contact website "
    "url www link image picture photo password risk flag indicator indicateur qualifier profit "
    "margin benefit discount rabatt remise descuento desconto ratio rating score gender sex age "
    "weather traffic distance km kms miles entfernung size sizes dimension dimensions length width "
    "height subtotal season month year week monat jahr mois annee mes ano mese anno maand jaar "
    "strength speed humidity level priority prioritat duties user",
    "document": "doc document beleg documento docs header acceptance aceptacion",
}
"""Concept -> the words that stand for it."""

SEVERAL: Final[dict[str, tuple[str, ...]]] = {
    "eta": ("planned", "received", "date"),
    "etd": ("planned", "shipped", "date"),
    "ata": ("actual", "received", "date"),
    "atd": ("actual", "shipped", "date"),
    "coo": ("country", "origin"),
    "pol": ("port", "loading"),
    "pod": ("port", "discharge"),
    "kgs": ("weight", "kg"),
    "asn": ("shipment", "number"),
    "sku": ("product", "code"),
    "skus": ("product", "code"),
    "po": ("purchase", "order"),
    "dom": ("produced", "date"),
    "scac": ("carrier", "code"),
    "hawb": ("bol",),
    "ddt": ("shipment", "slip"),
    "dttm": ("date", "time"),
    "ndc": ("product", "code"),
    "mpn": ("maker", "product", "number"),
    "unitprice": ("unit", "price"),
}
"""Abbreviations that stand for several concepts at once."""

_BETWEEN: Final = (
    "the of de des du la le les l d der die das den dem del della dello di do da dos das van het "
    "een and et y e und en in im at am a an au aux el los las is for fur pour by with mit on zum "
    "zur first last"
)
STOP: Final = frozenset(_BETWEEN.split())
"""Words between the words."""

NEUTRAL: Final = frozenset(
    {"number", "id", "code", "reference", "line", "party", "actual", "total", "date", "time", "per"}
)
"""Concepts that say little about which column it is when others are there."""

WORDS: Final[dict[str, str]] = {
    word: concept for concept, text in CONCEPTS.items() for word in text.split()
}
"""Word -> concept."""
