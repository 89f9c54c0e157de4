"""What scrapers bring home by mistake from festival sites: menus, notices, headings, names of sections and prizes."""

from __future__ import annotations

MENU = tuple(
    line.strip()
    for line in """
Home
Homepage
Programme
Program
Full programme
Programme 2024
Tickets
Buy tickets
Ticket sales
Schedule
Screening schedule
Calendar
Search
Search results
Contact
Contact us
Contacts
About
About us
About the festival
Press
Press office
Press releases
Press area
News
Latest news
All news
Newsletter
Subscribe to our newsletter
Archive
Archives
Festival archive
History
The festival
Awards
All awards
The awards
Official Awards of the 81st Festival
Jury
Juries
The Jury
International Jury
Jury president
Official Selection
Official Selection 2023
In Competition
Out of Competition
Competition
Special Screenings
Midnight Screenings
Un Certain Regard
Cannes Classics
Cinéma de la Plage
Short films
Short Films In Competition
Feature films
Orizzonti
Orizzonti Extra
Venezia 80
Venezia Classici
Giornate degli Autori
Venice Immersive
Settimana Internazionale della Critica
Panorama
Forum
Forum Expanded
Generation
Generation 14plus
Encounters
Berlinale Shorts
Berlinale Special
Perspektive Deutsches Kino
Retrospective
Homage
Golden Lion for Best Film
Golden Lion for Lifetime Achievement
Silver Lion
Golden Bear
Palme d'or
Grand Prix
Jury Prize
Best Director
Best Actress
Best Screenplay
Caméra d'or
Volpi Cup for Best Actor
Special Jury Prize
Audience Award
Honorary Award
Nominees
Winners
Winner
View all nominees
Photo gallery
Gallery
Photos
Videos
Trailer
Watch the trailer
Watch now
Read more
Learn more
Show more
See all
Load more
Next
Previous
Back to top
Back
Menu
Close
Close menu
Skip to main content
Share
Share on Facebook
Follow us
Facebook
Instagram
Log in
Sign up
My account
Register
Accreditation
Industry
Market
Partners
Sponsors
Supporters
Volunteers
Jobs
Shop
Privacy policy
Cookie policy
Cookie settings
Accept all cookies
Terms and conditions
Imprint
Legal notice
Copyright
FAQ
Download PDF
Download the catalogue
English
Deutsch
Français
Italiano
Language
Cast
Directed by
Director
Screenplay
Cinematography
Country
Year
Running time
Synopsis
World premiere
International premiere
To be announced
TBA
Untitled
Film not available
No results found
Page not found
404
Loading...
Loading
Error
Admission free
Sold out
Opening Film
Opening ceremony
Closing Film
Closing ceremony
Masterclass
Conversation with the director
Q&A with the filmmakers
Round table
Press conference
Photocall
Red carpet
Cinema hall 1
Sala Grande
Sala Darsena
Palazzo del Cinema
Map
Venues
How to get there
Accessibility
Guest
Guests
Film
Films
Film list
All films
A-Z
Titles A-Z
Directors A-Z
""".strip().splitlines()
)
