import com.helger.phive.api.execute.ValidationExecutionManager;
import com.helger.phive.api.executorset.ValidationExecutorSetRegistry;
import com.helger.phive.api.validity.IValidityDeterminator;
import com.helger.phive.xml.source.IValidationSourceXML;
import com.helger.phive.xml.source.ValidationSourceXML;
import com.helger.phive.xrechnung.XRechnungValidation;
import com.helger.phive.zugferd.ZugferdValidation;
import com.helger.diver.api.coord.DVRCoordinate;
import com.helger.io.resource.FileSystemResource;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.FileInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import javax.xml.parsers.DocumentBuilderFactory;
import org.mustangproject.validator.ZUGFeRDValidator;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/**
 * Asks phive, Mustang and veraPDF about the files of a folder: *.xrechnung.xml, *.zugferd.xml and *.pdf. Prints each finding, which is an
 * error, a warning or a judge that looked at nothing, and last the counts: "documents judges findings".
 */
public class Judges {
  private static final List<String> findings = new ArrayList<>();

  private static void found(String judge, File f, String what) {
    findings.add(judge + ": " + f.getName() + ": " + what.strip().replaceAll("\\s+", " "));
  }

  public static void main(String[] args) throws Exception {
    Locale.setDefault(Locale.ENGLISH);
    File[] files = new File(args[0]).listFiles((d, n) -> n.endsWith(".xml") || n.endsWith(".pdf"));
    Arrays.sort(files);
    ValidationExecutorSetRegistry<IValidationSourceXML> rules = new ValidationExecutorSetRegistry<>();
    com.helger.phive.en16931.EN16931Validation.initEN16931(rules);
    XRechnungValidation.initXRechnung(rules);
    ZugferdValidation.initZugferd(rules);
    VeraGreenfieldFoundryProvider.initialise();
    TreeSet<String> documents = new TreeSet<>();
    for (File f : files) {
      documents.add(f.getName().substring(0, f.getName().indexOf('.')));
      if (f.getName().endsWith(".xrechnung.xml")) {
        phive(rules, XRechnungValidation.VID_XRECHNUNG_UBL_INVOICE_302, f);
        mustang(f, "xml");
      } else if (f.getName().endsWith(".zugferd.xml")) {
        phive(rules, ZugferdValidation.VID_ZUGFERD_2_4_EN16931, f);
        mustang(f, "xml");
      } else {
        veraPDF(f);
        mustang(f, "pdf", "xml");
      }
    }
    findings.forEach(System.out::println);
    System.out.println(documents.size() + " 3 " + findings.size());
  }

  /** Every warning counts. */
  private static void phive(ValidationExecutorSetRegistry<IValidationSourceXML> rules, DVRCoordinate id, File f) {
    var set = rules.getOfID(id);
    var results = ValidationExecutionManager.executeValidation(
        IValidityDeterminator.createDefault(), set, ValidationSourceXML.create(new FileSystemResource(f)));
    if (results.size() < 2) {
      found("phive", f, "only " + results.size() + " sets of rules were applied");
    }
    for (var result : results) {
      if (!result.getValidity().isValid() && result.getErrorList().isEmpty()) {
        found("phive", f, "not valid or not looked at, without a reason: " + result);
      }
      for (var error : result.getErrorList()) {
        found("phive", f, error.getErrorLevel().getID() + " " + error.getErrorID() + " " + error.getErrorText(Locale.ENGLISH));
      }
    }
  }

  /** The overall verdict of Mustang leaves out its section about the PDF, so each section is read. */
  private static void mustang(File f, String... sections) throws Exception {
    String report = new ZUGFeRDValidator().validate(f.getAbsolutePath());
    Element root = DocumentBuilderFactory.newInstance().newDocumentBuilder()
        .parse(new ByteArrayInputStream(report.getBytes(StandardCharsets.UTF_8))).getDocumentElement();
    for (String section : sections) {
      boolean valid = false;
      NodeList children = root.getChildNodes();
      for (int i = 0; i < children.getLength(); i++) {
        if (children.item(i) instanceof Element e && e.getTagName().equals(section)) {
          NodeList summaries = e.getElementsByTagName("summary");
          valid = summaries.getLength() > 0 && ((Element) summaries.item(summaries.getLength() - 1)).getAttribute("status").equals("valid");
        }
      }
      if (!valid) {
        found("mustang", f, "the section " + section + " is not valid");
      }
    }
    for (String tag : List.of("error", "exception", "fatal", "warning")) {
      NodeList list = root.getElementsByTagName(tag);
      for (int i = 0; i < list.getLength(); i++) {
        found("mustang", f, tag + " " + list.item(i).getTextContent());
      }
    }
  }

  private static void veraPDF(File f) throws Exception {
    try (var parser = Foundries.defaultInstance().createParser(new FileInputStream(f), PDFAFlavour.PDFA_3_B);
        var validator = Foundries.defaultInstance().createValidator(PDFAFlavour.PDFA_3_B, false)) {
      var result = validator.validate(parser);
      if (result.getTotalAssertions() < 100) {
        found("veraPDF", f, "only " + result.getTotalAssertions() + " assertions were checked");
      }
      if (!result.isCompliant()) {
        result.getTestAssertions().forEach(a -> found("veraPDF", f, a.getRuleId().getClause() + " " + a.getMessage()));
      }
    }
  }
}
